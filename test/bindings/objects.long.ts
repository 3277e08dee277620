import assert from "node:assert/strict";
import { test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const MB = 2 ** 20;
const SIZE = 150 * MB;
const atoll = new TestRuntime({ sandboxes: 1, tenantLimits: { storedBytes: 2 ** 30 } });

/** Puts what it is sent, or what it makes itself, and gives it as a stream, none of which it could hold. */
const STREAMS = `
export default { async fetch(request, { B }) {
	const url = new URL(request.url);
	if (url.pathname === "/make") {
		const piece = new Uint8Array(${MB});
		let left = ${SIZE / MB};
		const made = new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(piece.slice().fill(left)); else c.close(); } });
		const { size } = await B.put("made", made);
		return Response.json(size);
	}
	if (request.method === "PUT") return Response.json((await B.put("sent", request.body)).size);
	const object = await B.get(url.pathname.slice(1), { range: request.headers });
	return new Response(object.body, { headers: { etag: object.httpEtag } });
} };`;

test("objects that no isolate could hold come in and go out as streams, and the edge holds little of them", async () => {
	const bindings = { B: { type: "objects", bucket: "streams" } };
	const limits = { memoryMb: 32, cpuMs: 60_000, wallMs: 120_000, requestBodyBytes: 200 * MB };
	await atoll.deploy("streams", STREAMS, { bindings, limits });
	let held = 0;
	const measure = () => {
		held = Math.max(held, atoll.runtime.stats().heldBytes);
	};
	const measuring = setInterval(measure, 5);
	try {
		assert.equal(await atoll.text("streams", "/make"), String(SIZE));
		let left = SIZE / MB;
		const body = new ReadableStream({
			pull(controller) {
				if (left-- > 0) controller.enqueue(new Uint8Array(MB).fill(left));
				else controller.close();
			},
		});
		const init = { method: "PUT", body, duplex: "half" } as RequestInit;
		assert.equal(await atoll.text("streams", "/sent", init), String(SIZE));
		for (const key of ["made", "sent"]) {
			const response = await atoll.fetch("streams", `/${key}`);
			assert.equal(response.headers.get("content-length"), String(SIZE));
			let at = 0;
			for await (const bytes of response.body as ReadableStream<Uint8Array>) {
				const last = SIZE / MB - 1;
				assert.equal(bytes[0], (last - Math.floor(at / MB)) & 255);
				at += bytes.byteLength;
			}
			assert.equal(at, SIZE);
		}
		const headers = { range: `bytes=${100 * MB - 1}-${100 * MB}` };
		const ends = new Uint8Array(await (await atoll.fetch("streams", "/made", { headers })).arrayBuffer());
		assert.deepEqual([...ends], [SIZE / MB - 100, SIZE / MB - 101]);
	} finally {
		clearInterval(measuring);
	}
	assert.ok(held < 16 * MB, `${held / MB} MB`);
});

test("a reader that goes away, and a writer that does, leave nothing open", async () => {
	const bindings = { B: { type: "objects", bucket: "streams" } };
	await atoll.deploy("leaves", STREAMS, { bindings, limits: { wallMs: 60_000, cpuMs: 20_000 } });
	for (let i = 0; i < 120; i++) {
		const response = await atoll.fetch("leaves", "/made");
		const reader = (response.body as ReadableStream<Uint8Array>).getReader();
		await reader.read();
		await reader.cancel();
	}
	for (let i = 0; i < 120; i++) {
		const gone = new AbortController();
		let pulled = 0;
		const body = new ReadableStream({
			pull(controller) {
				if (pulled++ > 3) gone.abort();
				controller.enqueue(new Uint8Array(300_000));
			},
		});
		const init = { method: "PUT", body, duplex: "half", signal: gone.signal } as RequestInit;
		await atoll.fetch("leaves", "/sent", init).catch(() => undefined);
	}
	// A tenant may have a hundred open: there would be no place for this one.
	assert.equal((await (await atoll.fetch("leaves", "/made")).arrayBuffer()).byteLength, SIZE);
	assert.equal(await atoll.text("leaves", "/sent", { method: "PUT", body: new Uint8Array(MB) }), String(MB));
});
