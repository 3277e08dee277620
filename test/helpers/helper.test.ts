import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Decompressor } from "../../src/helpers/decompressor.ts";
import { OpenStreams } from "../../src/helpers/open-streams.ts";
import { Turns } from "../../src/helpers/turns.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { until } from "../support/until.ts";

const launcher = new Launcher();
const decompressor = new Decompressor(launcher);
after(async () => {
	await decompressor.close();
	await launcher.close();
});

/** The processes that the launcher has started. */
function launched(): number[] {
	const { pid } = launcher.start();
	return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

function decompress(body: AsyncIterable<Uint8Array>, tenant: number): AsyncIterator<Uint8Array> {
	return decompressor.decompress({ body, coding: "gzip", tenant, pace: () => 0 })[Symbol.asyncIterator]();
}

async function textOf(parts: AsyncIterator<Uint8Array>): Promise<string> {
	let text = "";
	for (let part = await parts.next(); part.done !== true; part = await parts.next()) text += Buffer.from(part.value);
	return text;
}

test("a body goes on where the helper was lost under it, if little of it was read", {
	skip: process.platform !== "linux" && "the helper is found in /proc",
}, async () => {
	const text = Array.from({ length: 5000 }, (_, i) => i).join();
	const bytes = gzipSync(text);
	assert.ok(bytes.length < 16_000);
	const rest = Promise.withResolvers<void>();
	const parts = decompress(
		(async function* () {
			yield bytes.subarray(0, 5000);
			await rest.promise;
			yield bytes.subarray(5000);
		})(),
		1,
	);
	const first = await parts.next();
	assert.ok(first.value.length > 0);
	const [pid, ...others] = launched();
	assert.deepEqual(others, []);
	process.kill(pid, "SIGKILL");
	await until(() => {
		decompressor.warm(); // As soon as it is known that the one before is gone.
		return launched().some((other) => other !== pid);
	});
	rest.resolve();
	assert.equal(Buffer.from(first.value) + (await textOf(parts)), text);
});

test("the tenant that has used the least has the next turn, and one that has used its share waits", () => {
	const turns = new Turns<string>(2);
	const now = 1000;
	turns.charge(1, 20_000, now);
	turns.charge(2, 10_000, now);
	turns.charge(4, 1_000_000, now);
	assert.ok(turns.add(1, "first"));
	assert.ok(turns.add(2, "second"));
	assert.ok(turns.add(3, "third"));
	assert.ok(turns.add(4, "fourth"));
	assert.deepEqual(
		[1, 2, 3].map(() => turns.next(now)),
		[{ next: "third" }, { next: "second" }, { next: "first" }],
	);
	assert.deepEqual(turns.next(now), { wait: 1950 });
	assert.deepEqual(turns.next(now + 1950), { next: "fourth" });
	assert.deepEqual(turns.next(now), { wait: Number.POSITIVE_INFINITY });
	assert.deepEqual([turns.add(5, "a"), turns.add(5, "b"), turns.add(5, "c")], [true, true, false]);
	assert.deepEqual(turns.clear(), ["a", "b"]);
});

test("where there is no more room for streams the tenant with the most makes some", () => {
	const cut: number[] = [];
	const streams = new OpenStreams(100, ({ id }) => cut.push(id));
	const held = [60, 20].map((bytes) => streams.open(1, bytes));
	assert.ok(held[0] !== null && held[1] !== null);
	assert.equal(streams.open(1, 30), null, "nobody has more than who asks");
	const other = streams.open(2, 40);
	assert.ok(other !== null);
	assert.deepEqual([cut, held[0].cut, held[1].cut], [[held[0].id], true, false]);
	assert.equal(streams.close(held[0]), false);
	assert.equal(streams.close(other), true);
	assert.ok(streams.open(1, 80) !== null);
});
