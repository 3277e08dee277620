import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import { UsageError } from "../../src/index.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("a site of the library's", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	const directory = join(atoll.folder, "public");
	const write = async (name: string, text: string) => {
		await mkdir(directory, { recursive: true });
		await writeFile(join(directory, name), text);
	};

	test("it is alone, or beside a function that finds it; another deployment has what is there then", async () => {
		await write("index.html", "one");
		await atoll.runtime.deploy({ name: "alone", hostnames: ["alone.test"], assets: { directory } });
		assert.equal(await atoll.text("alone"), "one");
		assert.equal((await atoll.fetch("alone", "/none")).status, 404);
		const source = `export default { fetch: async (r, env) => new Response("of " + (await (await env.FILES.fetch(new URL("/", r.url))).text())) };`;
		const assets = { directory, binding: "FILES", run_worker_first: ["/first"] };
		const beside = { name: "beside", hostnames: ["beside.test"], source, assets };
		const before = await atoll.runtime.deploy(beside);
		assert.equal(await atoll.text("beside"), "one");
		await write("first.txt", "a file");
		await write("index.html", "two");
		assert.deepEqual([await atoll.text("beside"), await atoll.text("beside", "/else")], ["one", "of one"]);
		const after = await atoll.runtime.deploy(beside);
		assert.equal(after.version, before.version);
		assert.deepEqual([await atoll.text("beside"), await atoll.text("beside", "/else")], ["two", "of two"]);
		assert.equal(await atoll.text("beside", "/first.txt"), "a file");
	});

	test("text is compressed once, and sent so to who takes it; never to a function", async () => {
		const text = "some words that come again and again, ".repeat(1000);
		await write("words.txt", text);
		await write("small.txt", "small");
		const source = `export default { fetch: async (r, env) => {
			const response = await env.FILES.fetch(new Request(new URL("/words.txt", r.url), r));
			return Response.json([response.headers.get("content-encoding"), (await response.text()).length]);
		} };`;
		const assets = { directory, binding: "FILES" };
		await atoll.runtime.deploy({ name: "words", hostnames: ["words.test"], source, assets });
		const ask = async (path: string, headers: Record<string, string>) => {
			const response = await atoll.fetch("words", path, { headers });
			return { coding: response.headers.get("content-encoding"), bytes: Buffer.from(await response.arrayBuffer()) };
		};
		const br = { "accept-encoding": "gzip, br" };
		const { coding, bytes } = await ask("/words.txt", br);
		assert.equal(coding, "br");
		assert.ok(bytes.length < text.length / 10);
		assert.equal(brotliDecompressSync(bytes).toString(), text);
		for (const [path, headers] of [
			["/words.txt", {}],
			["/words.txt", { "accept-encoding": "gzip" }],
			["/small.txt", br],
		] as const)
			assert.equal((await ask(path, headers)).coding, null);
		assert.deepEqual(JSON.parse((await ask("/by-the-function", br)).bytes.toString()), [null, text.length]);
	});

	test("a part of a file is sent where that is asked for, directly and to the function, and the head alone for HEAD", async () => {
		const text = "0123456789".repeat(20_000);
		await write("large.txt", text);
		const source = `export default { fetch: (r, env) => env.FILES.fetch(new Request(new URL("/large.txt", r.url), r)) };`;
		const assets = { directory, binding: "FILES" };
		await atoll.runtime.deploy({ name: "parts", hostnames: ["parts.test"], source, assets });
		const etag = (await atoll.fetch("parts", "/large.txt")).headers.get("etag") ?? "";
		for (const path of ["/large.txt", "/by-the-function"]) {
			const ask = async (headers: Record<string, string>, method = "GET") => {
				const response = await atoll.fetch("parts", path, { method, headers });
				return [response.status, response.headers.get("content-range"), await response.text()];
			};
			const all = [200, null, text];
			assert.deepEqual(await ask({}), all);
			assert.deepEqual(await ask({ range: "bytes=3-5" }), [206, "bytes 3-5/200000", "345"]);
			assert.deepEqual(await ask({ range: "bytes=-2" }), [206, "bytes 199998-199999/200000", "89"]);
			const rest = text.slice(70_001);
			assert.deepEqual(await ask({ range: "bytes=70001-" }), [206, "bytes 70001-199999/200000", rest]);
			assert.deepEqual((await ask({ range: "bytes=200000-" })).slice(0, 2), [416, "bytes */200000"]);
			assert.deepEqual(await ask({ range: "bytes=0-1,5-6" }), all);
			assert.deepEqual(await ask({ range: "bytes=0-1", "if-range": '"another"' }), all);
			assert.equal((await ask({ range: "bytes=0-1", "if-range": etag }))[0], 206);
			assert.equal((await ask({ range: "bytes=0-1", "if-none-match": `"a", W/${etag}` }))[0], 304);
			assert.deepEqual(await ask({ range: "bytes=0-1" }, "HEAD"), [200, null, ""]);
		}
	});

	test("files that are kept already are not kept twice", async () => {
		const artifacts = join(atoll.folder, "data", "artifacts");
		const assets = async () => (await readdir(artifacts)).filter((name) => name.endsWith(".asset"));
		await write("index.html", "again");
		await atoll.runtime.deploy({ name: "again", hostnames: ["again.test"], assets: { directory } });
		const before = await assets();
		await atoll.runtime.deploy({ name: "twice", hostnames: ["twice.test"], assets: { directory } });
		assert.deepEqual(await assets(), before);
		assert.equal(await atoll.text("twice"), "again");
	});

	test("what makes no sense is refused, and nothing has changed", async () => {
		await write("index.html", "kept");
		const good = { name: "refused", hostnames: ["refused.test"], assets: { directory } };
		await atoll.runtime.deploy(good);
		for (const [bad, what] of [
			[{ assets: { directory: `${directory}/nope` } }, /there is no such folder of assets/],
			[{ assets: { directory, binding: "FILES" } }, /assets\.binding is for a function/],
			[{ assets: { directory, extra: 1 } }, /Unrecognized key: "extra"/],
			[
				{ source: "x", env: { A: 1 }, assets: { directory, binding: "A" } },
				/there is a variable or a binding of this name/,
			],
			[{ root: atoll.folder, assets: { directory: "/etc" } }, /\/etc: the folder of assets is in none/],
			[{ source: "x", bindings: { A: { type: "assets", manifest: "" } } }, /files are bound by assets\.binding/],
			[{ assets: undefined }, /one of entry, source and files must say/],
		] as const)
			await assert.rejects(atoll.runtime.deploy({ ...good, ...bad } as typeof good), (error: Error) => {
				assert.ok(error instanceof UsageError);
				assert.match(error.message, what);
				return true;
			});
		assert.equal(await atoll.text("refused"), "kept");
	});
});
