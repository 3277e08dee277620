import assert from "node:assert/strict";
import { test } from "node:test";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

/** What a function is bound to, under names that it is not to learn. */
const BINDINGS = {
	KV: { type: "kv", id: "hidden-kv" },
	DB: { type: "sql", database: "hidden-sql" },
	BUCKET: { type: "objects", bucket: "hidden-bucket" },
	QUEUE: { type: "queue", queue: "hidden-queue" },
	POINTS: { type: "analytics", dataset: "hidden-points" },
	LIMIT: { type: "ratelimit", namespace: "hidden-limit", limit: 10, period: 60 },
	SERVICE: { type: "service", function: "hidden-service" },
};

/** A function that goes through all that it can reach, and tells what of it should not be there. */
const WALKS = `
const seen = new Set();
const strings = new Set();
const foreign = [];
function look(value, path, depth) {
	if (typeof value === "string") { strings.add(value); return; }
	if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
	seen.add(value);
	let top = value;
	for (let next = top; next !== null; next = Object.getPrototypeOf(next)) top = next;
	// Another realm has an Object.prototype of its own.
	if (top !== Object.prototype && Object.hasOwn(top, "__lookupGetter__")) foreign.push(path);
	queue.push([value, path, depth]);
}
const queue = [];
function walk(roots) {
	for (const [name, root] of Object.entries(roots)) look(root, name, 0);
	for (let i = 0; i < queue.length; i++) {
		const [object, path, depth] = queue[i];
		look(Object.getPrototypeOf(object), path + ".__proto__", depth + 1);
		for (let holder = object; holder !== null; holder = Object.getPrototypeOf(holder))
			for (const key of Reflect.ownKeys(holder)) {
				const { value, get, set } = Object.getOwnPropertyDescriptor(holder, key);
				const at = path + "." + String(key);
				strings.add(String(key));
				look(value, at, depth + 1); look(get, at + "(get)", depth + 1); look(set, at + "(set)", depth + 1);
				// What it gives of this very object, which may be another one each time.
				if (get === undefined || depth > 2) continue;
				try { look(Reflect.apply(get, object, []), at, depth + 1); } catch (error) { look(error, at, depth + 1); }
			}
		if (object instanceof Map || object instanceof Set)
			try { for (const one of object) look(one, path + "[]", depth + 1); } catch {}
	}
}
export default { async fetch(request, env, ctx) {
	const results = [
		env.KV.put("k", "v", { metadata: { a: 1 } }), env.KV.getWithMetadata("k"), env.KV.list(),
		env.DB.prepare("SELECT 1 AS one").all(), env.DB.batch([env.DB.prepare("SELECT 2")]),
		env.BUCKET.put("o", "v"), env.BUCKET.list(), env.BUCKET.get("o"), env.BUCKET.createMultipartUpload("p"),
		env.QUEUE.send("m"), env.LIMIT.limit({ key: "a" }), env.SERVICE.fetch("http://x/"), caches.open("c"),
		env.KV.get("k".repeat(600)), env.DB.prepare("nonsense").all(), env.BUCKET.put("", "v"), env.QUEUE.send("x".repeat(200000)),
	];
	env.POINTS.writeDataPoint({ blobs: ["b"] });
	const settled = await Promise.allSettled(results);
	walk({ globalThis, env, ctx, request, settled, statement: env.DB.prepare("SELECT 1"), import: import.meta });
	return Response.json({ seen: seen.size, foreign, strings: [...strings] });
} };`;

inBothIsolations("what a function can reach with all bindings", (isolation) => {
	const atoll = new TestRuntime({ isolation, sandboxes: 1 });

	test("is its own realm's, and tells nothing of them", async () => {
		await atoll.deploy("hidden-service", `export default { fetch: () => new Response("served") };`);
		await atoll.deploy("walks", WALKS, { bindings: BINDINGS, limits: { cpuMs: 10_000, wallMs: 60_000 } });
		const text = await atoll.text("walks");
		assert.match(text, /^\{"seen"/);
		const { seen, foreign, strings } = JSON.parse(text) as { seen: number; foreign: string[]; strings: string[] };
		assert.ok(seen > 2000, `${seen} objects`);
		assert.deepEqual(foreign, []);
		const told = strings.filter((one) => /hidden-|\/tmp\/|node_modules|\.sqlite|data\.db/.test(one));
		assert.deepEqual(told, []);
		// What the sandbox lends is the prelude's alone.
		const lent = strings.filter((one) => /^__atoll|isolated/i.test(one));
		assert.deepEqual(lent, []);
	});
});
