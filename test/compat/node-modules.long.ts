/** Node's modules inside an isolate, each line's result compared with what Node itself gives. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { errorCode, type Isolation, inBothIsolations, TestRuntime } from "../support/runtime.ts";

/** Lines of code by the module they are about; `m` is the module. */
const LINES: Record<string, string[]> = {
	buffer: [
		`m.Buffer.from("héllo").toString("hex")`,
		`m.Buffer.from("aGk_-w", "base64url").toString("base64")`,
		`m.Buffer.from([251, 255]).toString("base64url")`,
		`m.Buffer.byteLength("aGk_", "base64url")`,
		`m.Buffer.concat([m.Buffer.from("a"), m.Buffer.alloc(2, "x")]).toString()`,
		`const b = m.Buffer.alloc(8); b.writeUInt32BE(0xdeadbeef, 2); return [...b, b.readUInt16LE(2)]`,
		`m.Buffer.compare(m.Buffer.from("a"), m.Buffer.from("b"))`,
		`JSON.stringify(m.Buffer.from("hi"))`,
		`[m.Buffer.isBuffer(m.Buffer.alloc(1)), m.Buffer.isEncoding("base64url"), m.isUtf8(m.Buffer.from([0xff])), m.isAscii(m.Buffer.from("a"))]`,
		`m.Buffer.from("abc").equals(new Uint8Array([97, 98, 99]))`,
		`m.constants.MAX_STRING_LENGTH`,
		`[["utf8", "latin1"], ["utf8", "ascii"], ["utf8", "utf16le"], ["utf8", "ucs2"]].map(([from, to]) => m.transcode(Buffer.from("aé€😀"), from, to).toString("hex"))`,
		`m.transcode(m.transcode(Buffer.from("é€"), "utf8", "utf16le"), "utf16le", "utf8").toString()`,
		`m.transcode(Buffer.from("a"), "utf8", "base64")`,
	],
	events: [
		`const e = new m.EventEmitter(); const seen = []; e.on("a", (x) => seen.push(x)); e.once("a", (x) => seen.push(-x)); e.emit("a", 1); e.emit("a", 2); return [seen, e.listenerCount("a"), e.eventNames()]`,
		`const e = new m.EventEmitter(); e.emit("error", new RangeError("x"))`,
		`const e = new m.EventEmitter(); setTimeout(() => e.emit("go", 5), 1); return m.once(e, "go")`,
		`const e = new m.EventEmitter(); const seen = []; e.prependListener("a", () => seen.push(1)); e.on("a", () => seen.push(2)); e.off("a", seen.push); e.emit("a"); return seen`,
	],
	util: [
		`m.inspect({ a: [1, { b: new Map([[1, new Set([2])]]) }], c: "x", d: null, f() {} }, { depth: 5 })`,
		`m.format("%s %d %i %j %o %%", "a", 1.5, 2.7, { a: 1 }, [1])`,
		`const sleep = m.promisify((n, done) => setTimeout(() => done(null, n * 2), 1)); return sleep(4)`,
		`m.promisify((done) => done(new RangeError("no")))()`,
		`new Promise((r) => m.callbackify(async (x) => x + 1)(1, (e, v) => r([e, v])))`,
		`m.isDeepStrictEqual({ a: [new Map([[1, { x: 1 }]])] }, { a: [new Map([[1, { x: 2 }]])] })`,
		`m.isDeepStrictEqual({ a: [new Map([[1, { x: 1 }]])] }, { a: [new Map([[1, { x: 1 }]])] })`,
		`[m.types.isDate(new Date()), m.types.isPromise(Promise.resolve()), m.types.isRegExp(/a/), m.types.isDate({})]`,
		`function A() {} function B() {} m.inherits(A, B); return [new A() instanceof B, A.super_ === B]`,
		`m.stripVTControlCharacters(m.styleText("red", "text"))`,
		...[
			`args: ["-f", "--bar", "b", "x"], options: { foo: { type: "boolean", short: "f" }, bar: { type: "string" } }, allowPositionals: true, tokens: true`,
			`args: ["-abc", "-ofile", "--out=other", "-o", "third"], options: { a: { type: "boolean", short: "a" }, b: { type: "boolean", short: "b" }, c: { type: "boolean", short: "c" }, out: { type: "string", short: "o", multiple: true } }, tokens: true`,
			`args: ["--no-color", "--", "-x"], options: { color: { type: "boolean" }, size: { type: "string", default: "5" } }, allowNegative: true, allowPositionals: true, tokens: true`,
			`args: ["--unknown", "-z", "v", "--k=v"], strict: false, tokens: true`,
			`args: ["--unknown"]`,
			`args: ["x"]`,
			`args: ["--out"], options: { out: { type: "string" } }`,
			`args: ["--out", "-x"], options: { out: { type: "string" } }`,
			`args: ["--flag=1"], options: { flag: { type: "boolean", short: "f" } }`,
		].map((config) => `try { return m.parseArgs({ ${config} }); } catch (e) { return [e.name, e.code, e.message]; }`),
		...[
			"text/html; charset=utf-8",
			' TEXT/Plain ;a=b; A=c;q=\\"x;\\\\\\"y\\" ;empty=;=v;none',
			"text",
			"/x",
			"text/",
			"a b/c",
			"text/x;a=ü",
		].map(
			(text) =>
				`try { const t = new m.MIMEType("${text}"); return [t.essence, t.type, t.subtype, String(t), [...t.params], JSON.stringify(t)]; } catch (e) { return [e.name, e.code]; }`,
		),
		`const t = new m.MIMEType("text/html"); t.type = "APPLICATION"; t.params.set("a", "b c"); t.params.delete("x"); return [String(t), t.params.get("a"), t.params.has("b")]`,
		`m.promisify(Object.assign(() => {}, { [m.promisify.custom]: () => "custom" }))()`,
	],
	assert: [
		`m.deepStrictEqual({ a: 1 }, { a: 1 })`,
		`m.deepStrictEqual({ a: 1 }, { a: "1" })`,
		`m.deepEqual({ a: 1 }, { a: "1" })`,
		`m.throws(() => { throw new TypeError("x"); }, TypeError)`,
		`m.throws(() => {}, TypeError)`,
		`await m.rejects(async () => { throw new Error("y"); }, /y/)`,
		`m.ok(0)`,
		`m.strictEqual(1, 2)`,
		`m.match("abc", /b/)`,
		`try { m.equal(1, 2); } catch (e) { return [e.code, e.name, e.actual, e.expected, e.operator]; }`,
	],
	path: [
		`[m.join("/a", "../b", "./c.txt"), m.resolve("/x", "y", ".."), m.basename("/a/b.txt", ".txt"), m.extname("a.tar.gz"), m.dirname("/a/b/c")]`,
		`[m.relative("/a/b/c", "/a/d"), m.normalize("/a//b/../c/."), m.isAbsolute("a"), m.sep]`,
		`m.parse("/home/u/file.txt")`,
		`m.format({ dir: "/a", base: "b.c" })`,
	],
	querystring: [
		`m.parse("a=1&b=2&a=3&c=%20x+y")`,
		`m.stringify({ a: [1, 2], b: "ü &", c: true })`,
		`[m.escape("a b&"), m.unescape("%41")]`,
	],
	url: [
		`m.parse("http://user:pw@host:80/p/a?x=1#h").pathname`,
		`m.parse("/a?b=c&d=e", true).query.d`,
		`m.format({ protocol: "https", host: "a.b", pathname: "/c", query: { d: 1 } })`,
		`[m.resolve("/one/two/three", "four"), m.resolve("http://example.com/", "/one")]`,
		`[m.fileURLToPath("file:///a/b%20c"), m.pathToFileURL("/a b").href]`,
		`[m.domainToASCII("español.com"), m.domainToUnicode("xn--espaol-zwa.com")]`,
		`[new m.URL("http://a/b").pathname, new m.URLSearchParams("a=1").get("a")]`,
	],
	string_decoder: [
		`const d = new m.StringDecoder("utf8"); return [d.write(new Uint8Array([0xe2, 0x82])), d.write(new Uint8Array([0xac])), d.end()]`.replace(
			/new Uint8Array\((\[[^\]]*\])\)/g,
			"Buffer.from($1)",
		),
		`const d = new m.StringDecoder("base64"); return d.write(Buffer.from("a")) + d.end()`,
	],
	stream: [
		`const out = []; for await (const c of m.Readable.from(["a", "b"])) out.push(c); return out`,
		`const t = new m.Transform({ transform(c, e, done) { done(null, c.toString().toUpperCase()); } }); t.end("abc"); let s = ""; for await (const c of t) s += c; return s`,
		`const { promisify } = { promisify: (f) => (...a) => new Promise((r, j) => f(...a, (e, v) => e ? j(e) : r(v))) }; const parts = []; await promisify(m.pipeline)(m.Readable.from(["x", "y"]), new m.Writable({ objectMode: true, write(c, e, done) { parts.push(c); done(); } })); return parts`,
		`const p = new m.PassThrough(); p.end("z"); return new Response(m.Readable.toWeb(p)).text()`,
		`const w = m.Writable.toWeb(new m.Writable({ write(c, e, done) { done(); }, final(done) { setTimeout(done, 1, new Error("late")); } })).getWriter(); return w.close().catch((e) => e.message)`,
		`const r = m.Readable.fromWeb(new Response("web").body); let s = ""; for await (const c of r) s += Buffer.from(c); return s`,
		`const parts = []; await m.promises.pipeline(m.Readable.from(["a", "b"]), async function* (source) { for await (const one of source) yield String(one).toUpperCase(); }, new m.Writable({ write(c, e, done) { parts.push(String(c)); done(); } })); return parts`,
		`const twice = m.compose(async function* (source) { for await (const one of source) yield String(one) + one; }); twice.end("x"); let s = ""; for await (const c of twice) s += c; return s`,
		`m.promises.finished(m.Readable.from(["a"]).resume())`,
	],
	crypto: [
		...["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "ripemd160"].map(
			(name) => `m.createHash(${JSON.stringify(name)}).update("ab").update(Buffer.from("c")).digest("hex")`,
		),
		`m.createHash("sha256").update("x").digest().length`,
		`m.createHash("nope")`,
		`const h = m.createHash("sha1").update("a"); const c = h.copy(); h.update("b"); return [c.digest("hex"), h.digest("base64"), ]`,
		`m.createHmac("sha256", "key").update("data").digest("base64url")`,
		`m.createHash("sha256").update(5)`,
		`const h = m.createHash("sha256"); h.digest(); h.update("x")`,
		`m.pbkdf2Sync("pw", "salt", 100, 20, "sha512").toString("hex")`,
		`new Promise((r, j) => m.pbkdf2("pw", "salt", 10, 16, "sha1", (e, k) => (e ? j(e) : r(k.toString("hex")))))`,
		`m.scryptSync("pw", "salt", 32, { N: 1024 }).toString("hex")`,
		`Buffer.from(m.hkdfSync("sha256", "key", "salt", "info", 42)).toString("hex")`,
		`[m.timingSafeEqual(Buffer.from("a"), Buffer.from("a")), m.timingSafeEqual(Buffer.from("a"), Buffer.from("b"))]`,
		`m.timingSafeEqual(Buffer.from("a"), Buffer.from("ab"))`,
		`[m.randomBytes(9).length, m.randomUUID().length, m.randomInt(5) < 5, m.randomInt(3, 4)]`,
		`m.hash("sha1", "abc")`,
		`m.webcrypto.subtle === crypto.subtle`,
		`const h = m.createHash("sha256"); h.write("a"); h.end("b"); let s = ""; for await (const c of h) s += c.toString("hex"); return s`,
	],
	timers: [
		`new Promise((r) => m.setImmediate(r, "soon"))`,
		`let ran = 0; m.clearImmediate(m.setImmediate(() => ran++)); m.clearTimeout(m.setTimeout(() => ran++, 0)); m.clearInterval(m.setInterval(() => ran++, 0)); await m.promises.setTimeout(2); return ran`,
	],
	"timers/promises": [
		`m.setTimeout(1, "done")`,
		`m.setImmediate("soon")`,
		`const seen = []; for await (const one of m.setInterval(1, "tick")) if (seen.push(one) === 3) break; return seen`,
		`m.setTimeout(1e6, 0, { signal: AbortSignal.abort("why") })`,
		`const c = new AbortController(); setTimeout(() => c.abort(), 1); return m.setTimeout(1e6, 0, { signal: c.signal })`,
		`const c = new AbortController(); let n = 0; for await (const _ of m.setInterval(1, 0, { signal: c.signal })) if (++n === 2) c.abort();`,
		`[await m.scheduler.wait(1), await m.scheduler.yield()]`,
	],
	diagnostics_channel: [
		`const c = m.channel("a"); const seen = []; const f = (...all) => seen.push(all); c.subscribe(f); c.publish({ x: 1 }); const had = [c.hasSubscribers, m.hasSubscribers("a")]; return [had, m.unsubscribe("a", f), m.unsubscribe("a", f), m.hasSubscribers("a"), seen, m.channel("a") === c, c instanceof m.Channel]`,
		`m.channel(5)`,
		`m.subscribe("b", 5)`,
		`return m.channel("c").runStores(21, function (a) { return [this.t, a]; }, { t: 1 }, 2)`,
		`const t = m.tracingChannel("d"); const seen = []; const handlers = Object.fromEntries(["start", "end", "asyncStart", "asyncEnd", "error"].map((n) => [n, (x, name) => seen.push([n, name, JSON.stringify(x)])])); t.subscribe(handlers); const sync = t.traceSync((a) => a + 1, { id: 1 }, null, 1); try { t.traceSync(() => { throw 5; }, { id: 2 }); } catch (e) { seen.push(e); } const p = await t.tracePromise(async (a) => a, { id: 3 }, null, "v"); await t.tracePromise(async () => { throw 6; }, { id: 4 }).catch((e) => seen.push(e)); await new Promise((r) => t.traceCallback((a, done) => setTimeout(done, 0, null, a), -1, { id: 5 }, null, "w", r)); return [sync, p, seen, t.hasSubscribers, t.unsubscribe(handlers), t.hasSubscribers]`,
	],
	os: [
		`[m.EOL, m.platform(), m.type(), m.endianness(), m.devNull, m.tmpdir(), m.constants.signals.SIGTERM, m.constants.errno.EPIPE]`,
	],
	console: [`[m.log === console.log, typeof m.table, typeof m.assert]`],
	constants: [`[m.SIGTERM, m.ECONNREFUSED, m.O_RDONLY]`],
	punycode: [`[m.toASCII("mañana.com"), m.toUnicode("xn--maana-pta.com"), m.encode("ü"), m.ucs2.decode("a😀")]`],
	zlib: [
		...["deflate", "gzip", "deflateRaw"].map(
			(name) =>
				`const text = "héllo ".repeat(500); const done = m.${name}Sync(text, { level: 9 }); return [done.toString("hex"), m[${JSON.stringify(name)}.replace("de", "in").replace("gzip", "gunzip") + "Sync"](done).toString() === text]`,
		),
		`m.gunzipSync(Buffer.concat([m.gzipSync("a"), m.gzipSync("b")])).toString()`,
		`[m.unzipSync(m.gzipSync("g")).toString(), m.unzipSync(m.deflateSync("d")).toString()]`,
		`m.gunzipSync("no gzip")`,
		`try { m.gunzipSync("no gzip"); } catch (e) { return [e.message, e.errno, e.code]; }`,
		`try { m.inflateSync(m.deflateSync("x".repeat(100)).subarray(0, 5)); } catch (e) { return [e.message, e.errno, e.code]; }`,
		`m.inflateSync(m.deflateSync("x".repeat(100)).subarray(0, -4), { finishFlush: m.constants.Z_SYNC_FLUSH }).toString()`,
		`m.gunzipSync(m.gzipSync("x".repeat(1000)), { maxOutputLength: 100 })`,
		`m.deflateSync(5)`,
		`m.deflateSync("a", { level: 10 })`,
		`new Promise((r) => m.gzip("later", (e, z) => m.gunzip(z, {}, (e2, t) => r([e, e2, t.toString()]))))`,
		`new Promise((r) => m.gunzip("none", (e, z) => r([e.code, z ?? "nothing"])))`,
		`const dictionary = Buffer.from("words words"); const z = m.deflateSync("some words words", { dictionary }); const tries = [m.inflateSync(z, { dictionary }).toString()]; for (const wrong of [undefined, Buffer.from("x")]) try { m.inflateSync(z, { dictionary: wrong }); } catch (e) { tries.push(e.message, e.code); } return [...tries, m.inflateRawSync(m.deflateRawSync("words", { dictionary }), { dictionary }).toString()]`,
		`const z = m.createGzip(); const u = m.createGunzip(); z.pipe(u); z.write("one "); z.end("two"); let s = ""; for await (const c of u) s += c; return [s, z.bytesWritten, u instanceof m.Gunzip]`,
		`const z = m.createDeflate(); const seen = []; z.on("data", (c) => seen.push(c)); z.write("flushed"); await new Promise((r) => z.flush(r)); const u = m.inflateSync(Buffer.concat(seen), { finishFlush: m.constants.Z_SYNC_FLUSH }).toString(); z.destroy(); return u`,
		`const u = m.createInflate(); u.end("nonsense"); return new Promise((r) => u.on("error", (e) => r([e.code, e.errno])))`,
		`const u = m.createGunzip(); u.end(m.gzipSync("x".repeat(50)).subarray(0, 12)); return new Promise((r) => u.on("error", (e) => r([e.code, e.message])).resume())`,
		`const big = Buffer.alloc(300000, "abcdefg"); const z = m.createGzip({ chunkSize: 1024 }); z.end(big); const parts = []; for await (const c of z) parts.push(c); return m.gunzipSync(Buffer.concat(parts)).equals(big)`,
		`[m.crc32("hello"), m.crc32(Buffer.from("lo"), m.crc32("hel")), m.constants.Z_BEST_COMPRESSION, m.codes.Z_DATA_ERROR, m.codes["-3"]]`,
	],
	tty: [`m.isatty(99)`],
	module: [
		`[m.isBuiltin("node:fs"), m.isBuiltin("fs"), m.isBuiltin("left-pad"), m.builtinModules.includes("http")]`,
		`m.createRequire("file:///a/b.js")("no-such-module")`,
	],
	net: [
		`["1.2.3.4", "1.2.3.256", "01.2.3.4", "1.2.3", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8:9", "::ffff:1.2.3.4", "1.2.3.4::", "fe80::1%eth0", "fe80::1%", "1::2::3", "12345::", ":1", "", "1:2:3:4:5:6:1.2.3.4", "g::", ":::"].map((x) => [m.isIP(x), m.isIPv4(x), m.isIPv6(x)])`,
		`m.isIP(undefined)`,
	],
	"stream/consumers": [
		`[await m.text(["a", Buffer.from("b")]), await m.json(["[1,", "2]"]), (await m.buffer([Buffer.from("x")])).toString("hex"), (await m.arrayBuffer(["abc"])).byteLength, (await m.blob(["abcd"])).size]`,
	],
	"stream/web": [`m.ReadableStream === ReadableStream`],
	perf_hooks: [`m.performance === performance`],
	process: [`[typeof m.env, typeof m.nextTick, m.platform]`, `new Promise((r) => m.nextTick(r, "ticked"))`],
};

const body = (line: string) => (/\breturn\b|;/.test(line) ? line : `return (${line});`);

/** A function that runs the lines of all modules, by number; in Node the same source is a module. */
function runner(modules: string[], isNode: boolean): string {
	const imports = modules.map((name, i) => `import * as module${i} from "node:${name}";`);
	const cases = modules.flatMap((name, i) =>
		LINES[name].map((line) => `async () => { const m = module${i}.default ?? module${i}; ${body(line)} }`),
	);
	return `${imports.join("\n")}
const cases = [${cases.join(",\n")}];
const run = async (index) => { try { return { value: await cases[index]() }; } catch (error) { return { error: error.name, code: error.code }; } };
${isNode ? "export { run };" : `export default { async fetch(request) { return Response.json(await run(Number(await request.text()))); } };`}`;
}

async function inNode(modules: string[]): Promise<(index: number) => Promise<unknown>> {
	const url = `data:text/javascript;base64,${Buffer.from(runner(modules, true)).toString("base64")}`;
	const { run } = (await import(url)) as { run: (index: number) => Promise<unknown> };
	return async (index) => JSON.parse(JSON.stringify(await run(index))) as unknown;
}

inBothIsolations("Node's modules", (isolation: Isolation) => {
	const atoll = new TestRuntime({ isolation, limits: { cpuMs: 10_000 } });

	for (const name of Object.keys(LINES)) {
		test(`node:${name}: as in Node`, async () => {
			const id = name.replace("/", "-");
			await atoll.deploy(id, runner([name], false));
			const node = await inNode([name]);
			for (const [i, line] of LINES[name].entries()) {
				const found = JSON.parse(await atoll.text(id, "/", { method: "POST", body: String(i) })) as unknown;
				assert.deepEqual(found, await node(i), line);
			}
		});
	}

	test("AsyncLocalStorage follows promises, await, timers, microtasks and what the platform answers", async () => {
		await atoll.deploy(
			"als",
			`import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
			const storage = new AsyncLocalStorage();
			const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
			async function* steps() { yield storage.getStore(); await sleep(1); yield storage.getStore(); }
			export default { async fetch(request) {
				const id = new URL(request.url).searchParams.get("id");
				const before = storage.getStore() ?? "none";
				const inside = await storage.run(id, async () => {
					const seen = [storage.getStore()];
					await sleep(2); seen.push(storage.getStore());
					await crypto.subtle.digest("SHA-1", new Uint8Array(1)); seen.push(storage.getStore());
					await Promise.all([sleep(1).then(() => seen.push(storage.getStore())), new Promise((r) => queueMicrotask(() => { seen.push(storage.getStore()); r(); }))]);
					for await (const one of steps()) seen.push(one);
					seen.push(storage.run("inner", () => storage.getStore()), storage.exit(() => storage.getStore() ?? "none"));
					try { await sleep(1).then(() => { throw 0; }); } catch { seen.push(storage.getStore()); }
					const bound = AsyncResource.bind(() => storage.getStore());
					seen.push(await storage.run("other", async () => bound()));
					const snapshot = AsyncLocalStorage.snapshot();
					seen.push(storage.run("other", () => snapshot(() => storage.getStore())));
					return seen;
				});
				storage.enterWith("entered");
				const entered = storage.getStore();
				await sleep(1);
				return Response.json([before, inside, entered, storage.getStore()]);
			} };`,
		);
		const ask = (id: number) => atoll.text("als", `/?id=${id}`);
		const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(i)));
		for (const [i, answer] of answers.entries()) {
			const id = String(i);
			const inside = [id, id, id, id, id, id, id, "inner", "none", id, id, id];
			assert.deepEqual(JSON.parse(answer), ["none", inside, "entered", "entered"]);
		}
	});

	test("a channel's store is an AsyncLocalStorage's, and follows what it runs", async () => {
		await atoll.deploy(
			"channel",
			`import { AsyncLocalStorage } from "node:async_hooks"; import { channel, tracingChannel } from "node:diagnostics_channel";
			const storage = new AsyncLocalStorage();
			channel("request").bindStore(storage, ({ id }) => "id " + id);
			const { start } = tracingChannel("work"); start.bindStore(storage);
			export default { async fetch() {
				const one = await channel("request").runStores({ id: 5 }, async () => { await new Promise((r) => setTimeout(r, 1)); return storage.getStore(); });
				const other = await tracingChannel("work").tracePromise(async () => { await null; return storage.getStore().name; }, { name: "traced" });
				return Response.json([one, other, storage.getStore() ?? "none"]);
			} };`,
		);
		assert.deepEqual(JSON.parse(await atoll.text("channel")), ["id 5", "traced", "none"]);
	});

	test("sockets of Node's throw when they are opened, and say what to use", async () => {
		await atoll.deploy(
			"sockets",
			`import net from "node:net"; class Mine extends net.Socket {}
			export default { fetch() { try { net.connect(80, "a.test"); } catch (error) { return Response.json([error.code, error.message]); } } };`,
		);
		assert.deepEqual(JSON.parse(await atoll.text("sockets")), [
			"MODULE_NOT_FOUND",
			"net.connect: a function opens no sockets of Node's. Use instead: cloudflare:sockets, or fetch()",
		]);
	});

	test("a function that imports async_hooks can import the others as well", async () => {
		await atoll.deploy(
			"together",
			`import { AsyncLocalStorage } from "node:async_hooks"; import assert from "node:assert"; import { createHash } from "node:crypto"; import events from "node:events"; import { Readable } from "node:stream"; import url from "node:url"; import { inspect } from "node:util";
			const storage = new AsyncLocalStorage();
			export default { fetch: () => storage.run("kept", async () => {
				let text = ""; for await (const part of Readable.from(["a", "b"])) text += part;
				assert.equal(text, "ab");
				return new Response([storage.getStore(), inspect(async () => {}), createHash("md5").update(text).digest("hex").length, typeof events.once, url.parse("http://a/b").pathname].join(" "));
			}) };`,
		);
		assert.equal(await atoll.text("together"), "kept [Function (anonymous)] 32 function /b");
	});

	test("globals of Node are there where they are named, with the function's environment", async () => {
		await atoll.deploy(
			"globals",
			`export default { async fetch() {
				await new Promise((r) => setImmediate(r));
				return Response.json([process.env.KEY, process.env.NODE_ENV, import.meta.env.KEY, import.meta.env.PROD, Buffer.from("x").toString("hex"), typeof global, process.versions.node ?? "none"]);
			} };`,
			{ env: { KEY: "value" } },
		);
		assert.deepEqual(JSON.parse(await atoll.text("globals")), [
			"value",
			"production",
			"value",
			true,
			"78",
			"object",
			"none",
		]);
	});

	test("a top level may await, and what it throws is told", async () => {
		await atoll.deploy(
			"tla",
			`const value = await new Promise((r) => r(await_()));
			async function await_() { return "awaited"; }
			export default { fetch: () => new Response(value) };`,
		);
		assert.equal(await atoll.text("tla"), "awaited");
		await assert.rejects(
			atoll.deploy("tla-throws", `await Promise.reject(new RangeError("at the top")); export default {};`),
			/at the top/,
		);
	});

	test("a module of another platform, and a class as the handler", async () => {
		await atoll.deploy(
			"entrypoint",
			`import { env, WorkerEntrypoint } from "cloudflare:workers";
			export default class extends WorkerEntrypoint { fetch(request) { return new Response(env.A + this.env.A + typeof this.ctx.waitUntil); } }`,
			{ env: { A: "a" } },
		);
		assert.equal(await atoll.text("entrypoint"), "aafunction");
		await assert.rejects(
			atoll.deploy("fs", `import "node:fs"; export default {};`),
			/"node:fs" is a Node\.js built-in, which a function does not have\. Use instead: /,
		);
	});

	test("an endless key derivation is a request over its CPU limit, and costs nobody else anything", async () => {
		await atoll.deploy(
			"derive",
			`import { pbkdf2Sync } from "node:crypto"; export default { fetch: () => new Response(pbkdf2Sync("a", "b", 1e9, 64, "sha512")) };`,
			{ limits: { cpuMs: 50 } },
		);
		assert.equal(await errorCode(await atoll.fetch("derive")), "cpu_limit_exceeded");
	});
	before(() => atoll.ready());
});
