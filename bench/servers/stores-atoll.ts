/** atoll with a function that has a namespace, a queue, a database and a bucket, in a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createRuntime } from "../../src/index.ts";
import { HttpServer } from "../../src/server/http-server.ts";

const data = mkdtempSync(join(tmpdir(), "atoll-bench-stores-"));
const runtime = await createRuntime({ data, sandboxes: 1 });
await runtime.deploy({
	name: "f0",
	hostnames: ["f0.localhost"],
	entry: resolve("bench/functions/stores.js"),
	bindings: {
		KV: { type: "kv", id: "bench" },
		QUEUE: { type: "queue", queue: "bench" },
		DB: { type: "sql", database: "bench" },
		OBJECTS: { type: "objects", bucket: "bench" },
	},
	triggers: { queues: [{ queue: "bench", maxBatchSize: 100, maxBatchTimeout: 1 }] },
});
const server = new HttpServer(runtime);
const { port } = await server.listen(0, "127.0.0.1");
console.log(`port ${port}`);
process.on("disconnect", async () => {
	await server.close();
	await runtime.close();
	rmSync(data, { recursive: true, force: true });
	process.exit(0);
});
