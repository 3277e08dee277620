/** The same function in miniflare, which is what `wrangler dev` runs, with its data on disk as well. */
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

interface MiniflareInstance {
	ready: Promise<URL>;
	dispose(): Promise<void>;
}
const { Miniflare } = createRequire(resolve("bench/package.json"))("miniflare") as {
	Miniflare: new (options: object) => MiniflareInstance;
};

const data = mkdtempSync(join(tmpdir(), "atoll-bench-miniflare-"));
const miniflare = new Miniflare({
	host: "127.0.0.1",
	port: 0,
	modules: true,
	scriptPath: resolve("bench/functions/stores.js"),
	compatibilityDate: "2025-10-01",
	kvNamespaces: { KV: "bench" },
	kvPersist: join(data, "kv"),
	d1Databases: { DB: "bench" },
	d1Persist: join(data, "d1"),
	cachePersist: join(data, "cache"),
	r2Buckets: { OBJECTS: "bench" },
	r2Persist: join(data, "r2"),
	queueProducers: { QUEUE: "bench" },
	queueConsumers: { bench: { maxBatchSize: 100, maxBatchTimeout: 1 } },
});
const { port } = await miniflare.ready;
console.log(`port ${port}`);
process.on("disconnect", async () => {
	await miniflare.dispose();
	rmSync(data, { recursive: true, force: true });
	process.exit(0);
});
