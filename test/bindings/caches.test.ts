import assert from "node:assert/strict";
import { test } from "node:test";
import { CacheStore } from "../../src/bindings/caches/sandbox.ts";

const MB = 1024 * 1024;

test("a version that fills the caches gives up its own entries, the oldest first, and not its neighbours'", () => {
	const store = new CacheStore();
	const [hog, neighbour] = [store.of(1), store.of(2)];
	neighbour.cachePut("default", "http://a/", "kept", new Uint8Array(MB), 60);
	for (let i = 0; i < 200; i++) hog.cachePut("default", `http://a/${i}`, `head ${i}`, new Uint8Array(MB), 60);
	assert.equal(neighbour.cacheMatch("default", "http://a/"), "kept");
	assert.equal(neighbour.cacheBody("default", "http://a/").byteLength, MB);
	assert.equal(hog.cacheMatch("default", "http://a/0"), null);
	assert.equal(hog.cacheMatch("default", "http://a/199"), "head 199");
});

test("versions and caches are kept apart, an entry can be replaced and deleted, and a version takes all of its own with it", () => {
	const store = new CacheStore();
	const [one, other] = [store.of(1), store.of(2)];
	one.cachePut("a", "k", "1", new Uint8Array(1), 60);
	one.cachePut("b", "k", "2", new Uint8Array(1), 60);
	other.cachePut("a", "k", "3", new Uint8Array(1), 60);
	one.cachePut("a", "k", "4", new Uint8Array(1), 60);
	assert.deepEqual([one.cacheMatch("a", "k"), one.cacheMatch("b", "k"), other.cacheMatch("a", "k")], ["4", "2", "3"]);
	one.cachePut("a", "k", "5", new Uint8Array(9 * MB), 60);
	assert.equal(one.cacheMatch("a", "k"), null, "too large to be kept, and it would have replaced the other");
	assert.equal(one.cacheDelete("b", "k"), true);
	assert.equal(one.cacheDelete("b", "k"), false);
	store.drop(2);
	assert.equal(other.cacheMatch("a", "k"), null);
});
