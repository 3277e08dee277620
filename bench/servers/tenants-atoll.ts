/**
 * Many tenants on one atoll: `tenants-atoll.ts DATA NEIGHBOURS ADVERSARY…`, each at `<name>.localhost`: the neighbours as
 * `n0`, `n1`, …, the adversaries by their files' names. It logs as `atoll serve` does where LOG is set.
 */
import { basename } from "node:path";
import { setFlagsFromString } from "node:v8";
import { createRuntime } from "../../src/index.ts";
import { createLogger } from "../../src/observe/logger.ts";
import { HttpServer } from "../../src/server/http-server.ts";

// As bin/atoll.js does.
setFlagsFromString("--no-concurrent-marking");
const [data, neighbours, ...adversaries] = process.argv.slice(2);
// Little room for warm isolates, so that what a soak shows to grow is not simply the cache filling up.
const cache = { maxBytes: 256 * 2 ** 20 };
// What a server of the bench's own does to those who fetch from it: `bench/upstream.ts`.
const egress = { allow: ["127.0.0.2"] };
const logger = process.env.LOG === undefined ? null : createLogger();
const runtime = await createRuntime({
	data,
	cache,
	egress,
	logger,
	limits: { cpuMs: 300, wallMs: 3000, memoryMb: 64 },
});
await Promise.all([
	...Array.from({ length: Number(neighbours) }, (_, i) =>
		runtime.deploy({ name: `n${i}`, hostnames: [`n${i}.localhost`], entry: "examples/hello.ts" }),
	),
	...adversaries.map((entry) => {
		const name = basename(entry, ".js");
		return runtime.deploy({ name, hostnames: [`${name}.localhost`], entry });
	}),
]);
const server = new HttpServer(runtime);
const { port } = await server.listen(0, "127.0.0.1");
console.log(`port ${port}`);
process.on("disconnect", async () => {
	console.log(`restarts ${runtime.stats().restarts}`);
	await Promise.race([server.close(), new Promise((resolve) => setTimeout(resolve, 500))]);
	process.exit(0);
});
