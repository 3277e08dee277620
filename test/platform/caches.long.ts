import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";

const platform = await startPlatform();

const KEEPS = `export default { async fetch({ url }) {
	const { pathname, searchParams } = new URL(url);
	const name = searchParams.get("cache");
	const cache = name === null ? caches.default : await caches.open(name);
	const key = "http://kept.test" + pathname;
	if (!searchParams.has("put")) return new Response((await cache.match(key))?.headers.get("cf-cache-status") ?? "MISS");
	await cache.put(key, new Response("x".repeat(1000), { headers: { "cache-tag": searchParams.get("put") } }));
	return new Response("put");
} };`;

const PURGE = "/v1/tenants/default/functions/keeps/cache/purge";
const text = async (path: string) => (await platform.get("keeps.localhost", path)).text;
const purge = async (body: object, token = TOKEN) => {
	const answer = await platform.api("POST", PURGE, body, token);
	return answer.status === 200 ? (answer.body as { removed: number }).removed : answer.status;
};

test("a purge that names nothing, or is nobody's, is refused", async () => {
	await platform.deploy("keeps", KEEPS);
	for (const body of [{}, { all: true, tags: ["a"] }, { urls: [] }, { urls: [""] }, { all: true, more: 1 }])
		assert.equal(await purge(body), 400, JSON.stringify(body));
	assert.equal(await purge({ all: true }, "none"), 401);
	const answer = await platform.api("POST", PURGE.replace("keeps", "none"), { all: true });
	assert.equal(answer.status, 404);
	assert.equal((await platform.atoll("cache", "purge", "keeps")).code, 1);
});

test("what a function keeps outlives a version and a restart, and is purged by URL, by tag, and all of it", async () => {
	for (const [path, tags] of [
		["/a", "one,two"],
		["/b", "Two"],
		["/c", "three"],
		["/d", ""],
	])
		assert.equal(await text(`${path}?put=${tags}`), "put");
	for (let i = 0; i < 30; i++) await text(`/many/${i}?put=many`);
	await text("/a?put=one&cache=n");
	await platform.deploy("keeps", `${KEEPS}\n// another version`);
	assert.equal(await text("/a"), "HIT");
	await platform.stop();
	await platform.up();
	assert.equal(await text("/a"), "HIT");

	assert.equal(await purge({ urls: ["http://KEPT.test/a#x", "http://kept.test/none"] }), 1);
	assert.deepEqual([await text("/a"), await text("/b"), await text("/a?cache=n")], ["MISS", "HIT", "HIT"]);
	assert.equal(await purge({ tags: ["TWO", "many"] }), 31);
	assert.deepEqual([await text("/b"), await text("/c"), await text("/many/7")], ["MISS", "HIT", "MISS"]);
	assert.equal(await purge({ cache: "n", all: true }), 1);
	assert.deepEqual([await text("/a?cache=n"), await text("/d")], ["MISS", "HIT"]);
	assert.equal(await purge({ urls: ["http://kept.test/none"] }), 0);
	const { code, output } = await platform.atoll(
		"cache",
		"purge",
		"keeps",
		"--tag",
		"three",
		"--url",
		"http://kept.test/d",
	);
	assert.deepEqual([code, output.trim()], [0, "2 responses were removed"]);
});
