/** Many tenants on one atoll: `tenants-atoll.ts DATA NEIGHBOURS ADVERSARY`, each at `<name>.localhost`. */
import { createRuntime } from "../../src/index.ts";
import { HttpServer } from "../../src/server/http-server.ts";

const [data, neighbours, adversary] = process.argv.slice(2);
const runtime = await createRuntime({ data, limits: { cpuMs: 300, wallMs: 3000, memoryMb: 64 } });
await Promise.all(
	Array.from({ length: Number(neighbours) }, (_, i) =>
		runtime.deploy({ name: `n${i}`, hostnames: [`n${i}.localhost`], entry: "examples/hello.ts" }),
	),
);
await runtime.deploy({ name: "adversary", hostnames: ["adversary.localhost"], entry: adversary });
const server = new HttpServer(runtime.nodeHandler);
const { port } = await server.listen(0, "127.0.0.1");
console.log(`port ${port}`);
process.on("SIGTERM", async () => {
	console.log(`restarts ${runtime.stats().restarts}`);
	await Promise.race([server.close(), new Promise((resolve) => setTimeout(resolve, 500))]);
	process.exit(0);
});
