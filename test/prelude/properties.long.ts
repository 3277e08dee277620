/** Random inputs, with Node's own implementations as the oracle, where Node follows the standard. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import { TestRuntime } from "../support/runtime.ts";

/** What is done with an input, in the isolate and here: the same source, so that the two cannot drift apart. */
const RUNNERS = `
const attempt = (run) => { try { return run(); } catch (error) { return { threw: error.name }; } };
const units = (text) => Array.from(text, (c, i) => text.charCodeAt(i)).join();
export const runners = {
	headers: (pairs) => attempt(() => { const h = new Headers(); for (const [op, name, value] of pairs) { if (op === "append") h.append(name, value); else if (op === "set") h.set(name, value); else h.delete(name); } return [[...h], h.getSetCookie(), pairs.map(([, name]) => h.get(name))]; }),
	params: ([text, ops]) => { const p = new URLSearchParams(text); for (const [op, name, value] of ops) { if (op === "append") p.append(name, value); else if (op === "set") p.set(name, value); else if (op === "delete") p.delete(name); else p.sort(); } return [p.toString(), [...p], p.size, [...new URLSearchParams(p.toString())]]; },
	decode: ([label, bytes, fatal, ignoreBOM, cuts]) => attempt(() => { const d = new TextDecoder(label, { fatal, ignoreBOM }); const b = new Uint8Array(bytes); let out = ""; let at = 0; for (const cut of cuts) { out += d.decode(b.subarray(at, at + cut), { stream: true }); at += cut; } return units(out + d.decode(b.subarray(at))); }),
	base64: ([text]) => [attempt(() => atob(text)), attempt(() => btoa(text))],
	url: ([input, base]) => attempt(() => { const u = new URL(input, base ?? undefined); return [u.href, u.origin, u.search, u.hash]; }),
	clone: ([value]) => { const c = structuredClone(value); return [c, c === value]; },
	form: async ([entries]) => { const f = new FormData(); for (const [name, value, file] of entries) { if (file) f.append(name, new Blob([value]), file); else f.append(name, value); } const back = await new Response(f).formData(); return Promise.all([...back].map(async ([n, v]) => [n, typeof v === "string" ? v : [v.name, await v.text()]])); },
	encode: ([text]) => [...new TextEncoder().encode(text)],
};`;

const atoll = new TestRuntime({ isolation: "inline", limits: { cpuMs: 120_000 } });

describe("properties", () => {
	let here: Record<string, (input: unknown) => unknown>;

	before(async () => {
		await atoll.deploy(
			"properties",
			`${RUNNERS}
			export default { async fetch(request) { const run = runners[new URL(request.url).pathname.slice(1)]; const all = await request.json(); const out = []; for (const one of all) out.push((await run(one)) ?? null); return Response.json(out); } };`,
		);
		const module = (await import(`data:text/javascript,${encodeURIComponent(RUNNERS)}`)) as { runners: typeof here };
		here = module.runners;
	});

	/** Draws inputs, runs all of them in one request, and compares. */
	function sameAsNode<T>(name: string, runner: string, inputs: fc.Arbitrary<T>, runs = 400): void {
		test(name, async () => {
			const drawn = fc.sample(inputs, { numRuns: runs, seed: Number(process.env.FUZZ_SEED ?? 2) });
			const body = JSON.stringify(drawn);
			const found = JSON.parse(await atoll.text("properties", `/${runner}`, { method: "POST", body })) as unknown[];
			for (const [i, input] of (JSON.parse(body) as unknown[]).entries()) {
				const expected = JSON.parse(JSON.stringify((await here[runner](input)) ?? null)) as unknown;
				assert.deepEqual(found[i], expected, JSON.stringify(input));
			}
		});
	}

	const text = fc.oneof(
		fc.string({ unit: "binary", maxLength: 12 }),
		fc.string({ maxLength: 12 }),
		fc.constantFrom("", " ", "a=b&c", "%41", "+", "\ud800", "é"),
	);
	const name = fc.oneof(
		fc.constantFrom("a", "B", "set-cookie", "Set-Cookie", "content-type", "x-1"),
		fc.string({ maxLength: 4 }),
	);
	const value = fc.oneof(fc.constantFrom("", "1", " x ", "a, b", "q=1; path=/"), fc.string({ maxLength: 8 }));

	sameAsNode(
		"Headers",
		"headers",
		fc.array(fc.tuple(fc.constantFrom("append", "append", "set", "delete"), name, value), { maxLength: 8 }),
	);
	sameAsNode(
		"URLSearchParams",
		"params",
		fc.tuple(
			text,
			fc.array(fc.tuple(fc.constantFrom("append", "set", "delete", "sort"), text, text), { maxLength: 5 }),
		),
	);
	sameAsNode(
		"TextDecoder",
		"decode",
		fc.tuple(
			fc.constantFrom("utf-8", "utf-8", "utf-16le", "utf-16be", "windows-1252", "gbk", "gb18030", "koi8-r"),
			fc.array(
				fc.oneof(
					fc.nat(255),
					fc.constantFrom(0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0xd8, 0xdc),
				),
				{ maxLength: 16 },
			),
			fc.boolean(),
			fc.boolean(),
			fc.array(fc.nat(4), { maxLength: 5 }),
		),
		1500,
	);
	sameAsNode(
		"base64",
		"base64",
		fc.tuple(
			fc.oneof(
				fc.base64String(),
				fc.string({ maxLength: 9 }),
				fc.constantFrom("YQ", "YQ=", "YQ==", " Y Q ", "Y===", "\u00ff", "\u0100"),
			),
		),
	);
	sameAsNode(
		"URL",
		"url",
		fc.tuple(
			fc.oneof(
				fc.webUrl({ withFragments: true, withQueryParameters: true }),
				text,
				fc.webPath(),
				fc.constantFrom("//x/y", "?q", "#h", "\\\\a\\b", "file:c|/x", "http://0x7f.1/", "http://[::1]:80/"),
			),
			fc.option(fc.constantFrom("http://base.test/a/b?c#d", "file:///x/y", "data:opaque")),
		),
	);
	sameAsNode("structuredClone", "clone", fc.tuple(fc.jsonValue()));
	sameAsNode(
		"FormData",
		"form",
		fc.tuple(
			fc.array(fc.tuple(text, text, fc.option(fc.constantFrom("f.txt", 'q"uote', "new\nline", "é"))), { maxLength: 5 }),
		),
		150,
	);
	sameAsNode("TextEncoder", "encode", fc.tuple(text));
});
