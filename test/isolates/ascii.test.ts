import assert from "node:assert/strict";
import { test } from "node:test";
import { asciiOf } from "../../src/isolates/ascii.ts";
import { TestRuntime } from "../support/runtime.ts";

const BODIES: Record<string, Uint8Array> = {
	"one byte": Buffer.from("a"),
	"all of ASCII": Uint8Array.from({ length: 128 }, (_, i) => i),
	"as long as a string may be": Buffer.alloc(16 * 1024, "x"),
	longer: Buffer.alloc(16 * 1024 + 1, "x"),
	"UTF-8": Buffer.from("é ü 漢 🏝"),
	"a byte order mark": Buffer.from("\ufeffmarked"),
	"no UTF-8": Uint8Array.from([0x61, 0xff, 0xc3]),
};
const ASCII = ["one byte", "all of ASCII", "as long as a string may be"];

test("a short body that is ASCII enters an isolate as a string", () => {
	for (const [name, body] of Object.entries(BODIES))
		assert.equal(typeof asciiOf(body) === "string", ASCII.includes(name), name);
	assert.equal(asciiOf(undefined), undefined);
	assert.equal(asciiOf(7), 7);
	// As it comes: a part of what was read with it.
	assert.equal(asciiOf(Buffer.from("-part-").subarray(1, 5)), "part");
});

for (const isolation of ["process", "inline"] as const)
	test(`${isolation}: whatever a body is, it is read as what was sent`, async () => {
		const atoll = new TestRuntime({ isolation });
		await atoll.deploy(
			"reads",
			`export default { async fetch(request, { KV }) {
				const how = new URL(request.url).pathname.slice(1);
				if (how === "stored") {
					await KV.put("key", await request.arrayBuffer());
					return new Response(await KV.get("key", "arrayBuffer"));
				}
				if (how === "text") return new Response(await request.text());
				if (how === "cloned") return new Response(await request.clone().arrayBuffer());
				if (how === "piped") return new Response(request.body.pipeThrough(new TransformStream()));
				if (how === "called") return fetch(new URL("/bytes", request.url), { method: "POST", body: await request.arrayBuffer() });
				return new Response(await request.arrayBuffer());
			} };`,
			{ bindings: { KV: { type: "kv", id: "kept" } } },
		);
		for (const [name, body] of Object.entries(BODIES)) {
			const sent = async (how: string) =>
				new Uint8Array(await (await atoll.fetch("reads", `/${how}`, { method: "POST", body })).arrayBuffer());
			for (const how of ["bytes", "cloned", "piped", "stored", "called"])
				assert.deepEqual(await sent(how), new Uint8Array(body), `${name}, ${how}`);
			assert.deepEqual(await sent("text"), new TextEncoder().encode(new TextDecoder().decode(body)), name);
		}
	});
