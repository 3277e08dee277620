/** The streams of bytes that edge platforms have beside the standard's. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import { Evaluator } from "../support/evaluate.ts";
import { Listening } from "../support/listening.ts";
import { bodyOf, exchange } from "../support/raw-http.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

/** Of a few promises, which have settled once all that needs no reader has been done. */
const PRELUDE = `
const bytes = (...numbers) => new Uint8Array(numbers);
const settled = async (promise) => {
	let state = "pending";
	promise.then(() => { state = "done"; }, (error) => { state = error.name ?? error; });
	await new Promise((resolve) => setTimeout(resolve, 1));
	return state;
};
`;

/** A worker that answers with a stream into which it writes after it has answered. */
const ANSWERS = `
const encoder = new TextEncoder();
export default { async fetch(request, env, ctx) {
	const { pathname, searchParams } = new URL(request.url);
	const length = searchParams.get("length");
	if (pathname === "/write") {
		const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
		const writer = writable.getWriter();
		ctx.waitUntil((async () => {
			for (const text of ["hello ", "world"]) await writer.write(encoder.encode(text));
			await writer.close();
		})());
		return new Response(readable, { headers: { "content-length": "3" } });
	}
	if (pathname === "/pipe") {
		const { readable, writable } = new FixedLengthStream(300_000);
		ctx.waitUntil(new Blob([new Uint8Array(300_000)]).stream().pipeTo(writable));
		return new Response(readable);
	}
	if (pathname === "/clone") {
		const { readable, writable } = new FixedLengthStream(5);
		ctx.waitUntil(new Blob(["12345"]).stream().pipeTo(writable));
		const response = new Response(readable);
		ctx.waitUntil(response.clone().text());
		return response;
	}
	if (pathname === "/forward") return fetch(new Request(searchParams.get("to"), request));
	if (pathname === "/large") return fetch(searchParams.get("to"), { method: "PUT", body: new Uint8Array(400_000) });
	if (pathname === "/claim")
		return fetch(searchParams.get("to"), { method: "PUT", duplex: "half", headers: { "content-length": "1000" }, body: ReadableStream.from([encoder.encode("five5")]) });
	const { readable, writable } = new FixedLengthStream(5);
	ctx.waitUntil(new Blob(["five5"]).stream().pipeTo(writable));
	return fetch(searchParams.get("to"), { method: "PUT", body: readable, duplex: "half" });
} };`;

inBothIsolations("streams of bytes", (isolation) => {
	const evaluator = new Evaluator(isolation);
	const value = (code: string) => evaluator.value(`${PRELUDE}${code}`);

	test("an IdentityTransformStream hands over each chunk when it is read", async () => {
		assert.deepEqual(
			await value(`
				const { readable, writable } = new IdentityTransformStream();
				const writer = writable.getWriter();
				const reader = readable.getReader();
				const first = writer.write(bytes(1, 2)), second = writer.write(bytes(3).buffer), closed = writer.close();
				const before = [await settled(first), await settled(second), await settled(closed)];
				const one = await reader.read();
				const between = [await settled(first), await settled(second)];
				const two = await reader.read();
				const three = await reader.read();
				return [before, [...one.value], between, [...two.value], await settled(closed), three.done];
			`),
			[["pending", "pending", "pending"], [1, 2], ["done", "pending"], [3], "done", true],
		);
	});

	test("a reader can wait for what is written later, and a view is as good as its bytes", async () => {
		assert.deepEqual(
			await value(`
				const { readable, writable } = new IdentityTransformStream({ highWaterMark: 100 });
				const reader = readable.getReader();
				const writer = writable.getWriter();
				const reading = reader.read();
				const chunk = bytes(0, 7, 8, 0);
				await writer.write(new DataView(chunk.buffer, 1, 2));
				await writer.write(bytes());
				return [[...(await reading).value], writer.desiredSize, chunk.byteLength];
			`),
			[[7, 8], 100, 4],
		);
	});

	test("an IdentityTransformStream is read into the reader's own buffers", async () => {
		assert.deepEqual(
			await value(`
				const { readable, writable } = new IdentityTransformStream();
				const writer = writable.getWriter();
				const reader = readable.getReader({ mode: "byob" });
				const write = writer.write(bytes(1, 2, 3, 4, 5));
				const closed = writer.close();
				const one = await reader.read(new Uint8Array(2));
				const halfway = await settled(write);
				const two = await reader.read(new Uint8Array(8));
				const three = await reader.read(new Uint8Array(8));
				await closed;
				return [[...one.value], halfway, [...two.value], two.value.buffer.byteLength, await settled(write), three.done, three.value.byteLength];
			`),
			[[1, 2], "pending", [3, 4, 5], 8, "done", true, 0],
		);
	});

	test("readAtLeast waits for so many bytes, or for the end", async () => {
		assert.deepEqual(
			await value(`
				const { readable, writable } = new IdentityTransformStream();
				const writer = writable.getWriter();
				const written = (async () => {
					for (const chunk of [bytes(1), bytes(2, 3), bytes(4, 5), bytes(6)]) await writer.write(chunk);
					await writer.close();
				})();
				const reader = readable.getReader({ mode: "byob" });
				const seen = [];
				for (let i = 0; i < 3; i++) {
					const { done, value } = await reader.readAtLeast(4, new Uint8Array(4));
					seen.push(done, [...value]);
				}
				await written;
				return seen;
			`),
			[false, [1, 2, 3, 4], false, [5, 6], true, []],
		);
		assert.deepEqual(
			await value(`
				const reader = new Response("abcdef").body.getReader({ mode: "byob" });
				const wide = await reader.readAtLeast(3, new Uint16Array(3));
				return [
					wide.value.length,
					...await Promise.all([[0, new Uint8Array(1)], [2, new Uint8Array(1)], [1, "x"], [1]].map((args) => settled(reader.readAtLeast(...args)))),
					ReadableStreamBYOBReader.prototype.readAtLeast.length,
				];
			`),
			[3, "TypeError", "TypeError", "TypeError", "TypeError", 2],
		);
	});

	test("only bytes go through it", async () => {
		assert.deepEqual(
			await value(`
				const { readable, writable } = new IdentityTransformStream();
				const writer = writable.getWriter();
				return [await settled(writer.write("text")), await settled(readable.getReader().read()), await settled(writer.closed)];
			`),
			["TypeError", "TypeError", "TypeError"],
		);
	});

	test("either side ends a write that waits, and the other side hears why", async () => {
		assert.deepEqual(
			await value(`
				const one = new IdentityTransformStream(), two = new IdentityTransformStream();
				const writers = [one.writable.getWriter(), two.writable.getWriter()];
				const writes = writers.map((writer) => writer.write(bytes(1)));
				await one.readable.cancel("enough");
				const aborted = writers[1].abort("never mind");
				return [await settled(writes[0]), await settled(writers[0].write(bytes(2))), await settled(writes[1]), await settled(aborted), await settled(two.readable.getReader().read())];
			`),
			["enough", "enough", "never mind", "done", "never mind"],
		);
	});

	test("both are TransformStreams, with sides that pipes take", async () => {
		assert.deepEqual(
			await value(`
				const source = () => ReadableStream.from([bytes(104), bytes(105)]);
				return [
					new FixedLengthStream(1) instanceof IdentityTransformStream,
					new IdentityTransformStream() instanceof TransformStream,
					await new Response(source().pipeThrough(new IdentityTransformStream())).text(),
					await new Response(source().pipeThrough(new IdentityTransformStream({ highWaterMark: 1 }))).text(),
					await new Response(source().pipeThrough(new FixedLengthStream(2n))).text(),
					Object.prototype.toString.call(new FixedLengthStream(0)),
				];
			`),
			[true, true, "hi", "hi", "hi", "[object FixedLengthStream]"],
		);
	});

	test("a text can be compressed and decompressed before anybody reads", async () => {
		assert.deepEqual(
			await value(`
				const texts = [];
				for (const format of ["gzip", "deflate", "deflate-raw"]) {
					const packing = new CompressionStream(format);
					const writer = packing.writable.getWriter();
					for (const text of ["hello ", "hello ", "world"]) await writer.write(new TextEncoder().encode(text));
					await writer.close();
					const unpacking = new DecompressionStream(format);
					const into = unpacking.writable.getWriter();
					for await (const chunk of packing.readable) await into.write(chunk);
					await into.close();
					texts.push(await new Response(unpacking.readable).text());
				}
				return texts;
			`),
			["hello hello world", "hello hello world", "hello hello world"],
		);
	});

	test("what decompresses is held back once a megabyte waits to be read", async () => {
		assert.deepEqual(
			await value(`
				const twenty = ReadableStream.from(Array.from({ length: 20 }, () => new Uint8Array(300_000)));
				const all = await new Response(twenty.pipeThrough(new CompressionStream("deflate"))).bytes();
				let asked = 0;
				const source = new ReadableStream({ pull(c) { c.enqueue(all.subarray(asked * 300, ++asked * 300)); if (asked * 300 >= all.length) c.close(); } }, { highWaterMark: 0 });
				const readable = source.pipeThrough(new DecompressionStream("deflate"));
				await settled(new Promise(() => {}));
				const early = asked * 300 < all.length;
				return [early, (await new Response(readable).bytes()).length];
			`),
			[true, 6_000_000],
		);
	});

	test("a FixedLengthStream fails where there is more or less than its length", async () => {
		assert.deepEqual(
			await value(`
				const more = new FixedLengthStream(3), less = new FixedLengthStream(3);
				const long = more.writable.getWriter(), short = less.writable.getWriter();
				const reader = less.readable.getReader();
				const written = short.write(bytes(1, 2));
				const { value } = await reader.read();
				return [
					await settled(long.write(bytes(1, 2, 3, 4))), await settled(more.readable.getReader().read()),
					await settled(written), value.length, await settled(short.close()), await settled(reader.read()),
				];
			`),
			["TypeError", "TypeError", "done", 2, "TypeError", "TypeError"],
		);
		assert.deepEqual(
			await value(`
				return [[], [-1], [1.5], ["x"], [2 ** 53]].map((args) => { try { new FixedLengthStream(...args); } catch (error) { return error.name; } });
			`),
			Array(5).fill("TypeError"),
		);
	});
});

inBothIsolations("bodies of streams of bytes", (isolation) => {
	const atoll = new TestRuntime({ isolation, egress: { allow: ["127.0.0.1"] } });
	let server: HttpServer;
	let port: number;
	let origin: Listening;
	before(async () => {
		await atoll.ready();
		server = new HttpServer(atoll.runtime);
		port = (await server.listen(0, "127.0.0.1")).port;
		origin = await Listening.on(async (req, res) => {
			let length = 0;
			for await (const chunk of req) length += (chunk as Buffer).length;
			res.end(JSON.stringify({ says: req.headers["content-length"] ?? null, length }));
		});
		await atoll.deploy("answers", ANSWERS);
	});
	after(async () => {
		await server.close();
		await origin[Symbol.asyncDispose]();
	});
	const get = (path: string) =>
		exchange(port, `GET ${path} HTTP/1.1\r\nHost: answers.test\r\nConnection: close\r\n\r\n`);
	const to = () => `to=${encodeURIComponent(origin.origin)}`;

	test("what is written once the response has gone out is its body", async () => {
		const response = await atoll.fetch("answers", "/write");
		assert.equal(await response.text().catch((error: Error) => error.name), "TypeError");
		assert.match(await get("/write?length=11"), /\r\ncontent-length: 11\r\n[\s\S]*\r\n\r\nhello world$/i);
	});

	test("a FixedLengthStream says how long the response is", async () => {
		const piped = await get("/pipe");
		assert.match(piped, /\r\ncontent-length: 300000\r\n/i);
		assert.doesNotMatch(piped, /transfer-encoding/i);
		assert.equal(bodyOf(piped).length, 300_000);
		assert.match(await get("/clone"), /\r\ncontent-length: 5\r\n[\s\S]*\r\n\r\n12345$/i);
	});

	test("and how long the body of a request to the outside is", async () => {
		assert.equal(bodyOf(await get(`/send?${to()}`)).includes('{"says":"5","length":5}'), true);
		assert.deepEqual(await (await atoll.fetch("answers", `/large?${to()}`)).json(), {
			says: "400000",
			length: 400_000,
		});
	});

	test("what a function only claims of a stream's length is not sent", async () => {
		assert.deepEqual(await (await atoll.fetch("answers", `/claim?${to()}`)).json(), { says: null, length: 5 });
	});

	test("a request that is handed on keeps its length", async () => {
		const body = "x".repeat(200_000);
		const response = await exchange(
			port,
			`PUT /forward?${to()} HTTP/1.1\r\nHost: answers.test\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
		);
		assert.equal(response.includes('{"says":"200000","length":200000}'), true, response);
	});
});
