import assert from "node:assert/strict";
import { test } from "node:test";
import { Evaluator } from "../support/evaluate.ts";
import { inBothIsolations } from "../support/runtime.ts";

inBothIsolations("Web APIs", (isolation) => {
	const evaluator = new Evaluator(isolation);

	evaluator.sameAsNode("Headers", [
		`[...new Headers({ b: "2", A: "1" })]`,
		`const h = new Headers([["a", "1"], ["A", "2"]]); return [h.get("a"), h.has("A"), [...h.keys()]]`,
		`const h = new Headers(); h.append("set-cookie", "a"); h.append("Set-Cookie", "b"); return [h.getSetCookie(), h.get("set-cookie"), [...h]]`,
		`const h = new Headers({ a: " x\\t" }); h.set("a", "y"); h.delete("b"); return [h.get("a")]`,
		`new Headers({ "a b": "1" })`,
		`new Headers({ a: "x\\ny" })`,
		`new Headers({ a: "\\u0100" })`,
		`new Headers([["a"]])`,
		`new Headers(5)`,
		`new Headers(null)`,
		`new Headers().get()`,
		`const seen = []; new Headers({ a: "1", b: "2" }).forEach((v, k, h) => seen.push(k + v + (h instanceof Headers))); return seen`,
		`Object.prototype.toString.call(new Headers())`,
		`const h = new Headers({ z: "1" }); const i = h.entries(); h.append("a", "0"); return [i.next(), i.next(), i.next()]`,
	]);

	evaluator.sameAsNode("URL and URLSearchParams", [
		`const u = new URL("../b?x=1#h", "http://user:pw@EXAMPLE.com:80/a/c"); return [u.href, u.origin, u.username, u.password, u.host, u.port, u.pathname, u.search, u.hash]`,
		`const u = new URL("http://a/"); u.port = "8080"; u.pathname = "/x y"; u.hash = "q"; u.protocol = "https"; u.host = "b:1"; return u.href`,
		`const u = new URL("http://a/?x=1&y=2"); u.searchParams.append("z", "ä b"); u.searchParams.delete("x"); return [u.href, u.search]`,
		`const u = new URL("http://a/?x=1"); const p = u.searchParams; u.search = "?y=5"; return [p.get("x"), p.get("y"), p === u.searchParams]`,
		`new URL("nope")`,
		`[URL.canParse("http://x"), URL.canParse("x"), URL.canParse("x", "http://y"), URL.parse("x"), URL.parse("http://x").href]`,
		`new URL("http://bücher.example/ä").href`,
		`JSON.stringify({ u: new URL("http://a/b") })`,
		`[...new URLSearchParams("a=1&b=%20+c&a=3&=&&d")]`,
		`new URLSearchParams({ "a b": "ü&=", c: "*-._~" }).toString()`,
		`const p = new URLSearchParams([["b", "2"], ["a", "1"], ["a", "0"]]); p.sort(); return [p.toString(), p.size, p.has("a", "0"), p.getAll("a")]`,
		`const p = new URLSearchParams("a=1&a=2&b=3"); p.set("a", "9"); p.delete("b", "4"); return p.toString()`,
		`new URLSearchParams("a=%E4%BD%A0%FF%ZZ").get("a")`,
		`new URLSearchParams([["a"]])`,
	]);

	evaluator.sameAsNode("encoding", [
		`[...new TextEncoder().encode("aé你😀\\ud800")]`,
		`const b = new Uint8Array(5); const r = new TextEncoder().encodeInto("aé😀x", b); return [r, [...b]]`,
		`new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 97, 0xff, 0xf0, 0x9f]))`,
		`new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 97])).length`,
		`new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff]))`,
		`new TextDecoder("no-such")`,
		`const d = new TextDecoder(); let s = ""; for (const b of new TextEncoder().encode("aé你😀")) s += d.decode(new Uint8Array([b]), { stream: true }); return s + d.decode()`,
		`const d = new TextDecoder("utf-16le"); return d.decode(new Uint8Array([97, 0, 61]), { stream: true }) + d.decode(new Uint8Array([216, 0, 220]), { stream: true }) + d.decode()`,
		`new TextDecoder("windows-1252").decode(new Uint8Array([0x80, 0xe9]))`,
		`new TextDecoder("shift_jis").decode(new Uint8Array([0x82, 0xa0]))`,
		`[new TextDecoder("latin1").encoding, new TextDecoder("UTF8").encoding, new TextDecoder().fatal]`,
		`[btoa("abc"), btoa(""), atob("YWJj"), atob(" YQ = = "), btoa("\\xff\\xfe")]`,
		`btoa("你")`,
		`atob("a")`,
		`atob("YQ=")`,
	]);

	evaluator.sameAsNode("Blob, File, FormData", [
		`const b = new Blob(["ab", new Uint8Array([99]), new Blob(["d"])], { type: "Text/Plain" }); return [b.size, b.type, await b.text(), await b.slice(1, -1).text(), [...await b.bytes()]]`,
		`let s = ""; for await (const c of new Blob(["stream"]).stream()) s += new TextDecoder().decode(c); return s`,
		`const f = new File(["x"], "a.txt", { type: "text/plain", lastModified: 5 }); return [f.name, f.lastModified, f.size, f instanceof Blob]`,
		`const d = new FormData(); d.append("a", "1"); d.append("a", 2); d.set("b", new Blob(["x"]), "n.txt"); return [[...d.keys()], d.getAll("a"), d.get("b").name, d.has("c"), d.get("c")]`,
		`const d = new FormData(); d.append("t", "v\\r\\nw"); d.append("f", new File(["data"], 'q"u.txt', { type: "text/x" })); const r = await new Response(d).formData(); const f = r.get("f"); return [r.get("t"), f.name, f.type, await f.text()]`,
		`const r = await new Response("a=1&b=%20", { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData(); return [...r]`,
		`await new Response("x", { headers: { "content-type": "text/plain" } }).formData()`,
		`await new Response("--b\\r\\nbroken", { headers: { "content-type": "multipart/form-data; boundary=b" } }).formData()`,
		`new File(["x"])`,
		`new Blob("text")`,
	]);

	evaluator.sameAsNode("Request and Response", [
		`const r = new Request("http://a/", { method: "post", body: "x", headers: { a: "b" } }); return [r.method, r.url, r.headers.get("content-type"), await r.text(), r.bodyUsed]`,
		`new Request("http://a/", { body: "x" })`,
		`new Request("/relative")`,
		`new Request("http://u:p@a/")`,
		`new Request("http://a/", { method: "TRACE" })`,
		`const a = new Request("http://a/", { method: "POST", body: "x" }); const b = a.clone(); return [await a.text(), await b.text()]`,
		`const a = new Request("http://a/", { method: "POST", body: "x" }); const b = new Request(a, { headers: { q: "1" } }); return [a.bodyUsed, await b.text(), b.headers.get("q"), b.method]`,
		`const r = new Response("x", { status: 201, statusText: "Made" }); return [r.status, r.statusText, r.ok, r.type, r.headers.get("content-type"), await r.text()]`,
		`new Response("x", { status: 204 })`,
		`new Response("x", { status: 99 })`,
		`new Response("x", { statusText: "a\\nb" })`,
		`const r = Response.json({ a: [1] }, { status: 202 }); return [r.status, r.headers.get("content-type"), await r.json()]`,
		`const r = Response.redirect("http://a/b", 307); return [r.status, r.headers.get("location")]`,
		`Response.redirect("http://a/", 200)`,
		`const r = Response.error(); return [r.type, r.status]`,
		`const r = new Response("x"); await r.text(); await r.text()`,
		`const all = []; for (const name of ["text", "json", "bytes", "arrayBuffer", "blob"]) { const r = new Response("1"); const reading = r[name](); all.push(r.bodyUsed); await reading; } return all`,
		`const r = new Request("http://a/", { method: "POST", body: new ReadableStream({ start(c) { c.enqueue(new Uint8Array([65])); c.close(); } }), duplex: "half" }); const reading = r.text(); return [r.bodyUsed, r.body.locked, await r.text().catch((e) => e.name), await reading]`,
		`const r = new Response("a=1", { headers: { "content-type": "application/x-www-form-urlencoded" } }); const reading = r.formData(); return [r.bodyUsed, [...(await reading)]]`,
		`const r = new Response("x"); r.body.getReader(); await r.text()`,
		`const r = new Response("abc"); const c = r.clone(); return [await r.text(), await c.text()]`,
		`const r = new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode("s")); c.close(); } })); const c = r.clone(); return [await r.text(), await c.text()]`,
		`const r = new Response("abc"); const reader = r.body.getReader(); const { value } = await reader.read(); return [new TextDecoder().decode(value), r.bodyUsed, (await reader.read()).done]`,
		`await new Response("{").json()`,
		`[...new Uint8Array(await new Response(new Uint8Array([1, 2])).arrayBuffer())]`,
		`const b = await new Response("x", { headers: { "content-type": "Text/Plain;charset=utf-8" } }).blob(); return [b.size, b.type]`,
		`[await new Response().text(), new Response().body, await new Response(null).arrayBuffer().then((b) => b.byteLength)]`,
		`new Response(new URLSearchParams({ a: "b c" })).headers.get("content-type")`,
		`const s = new Response("x").body; const r = new Response(s); return [r.body === s, await r.text(), s.locked]`,
		`new Request("http://a/", { redirect: "sideways" })`,
		`[new Request("http://a/#frag").url, new Request("http://a/").redirect, new Request("http://a/").credentials]`,
	]);

	evaluator.sameAsNode("events and abort", [
		`const t = new EventTarget(); const seen = []; t.addEventListener("x", (e) => seen.push(e.type, e.target === t, e.defaultPrevented), { once: true }); t.dispatchEvent(new Event("x")); t.dispatchEvent(new Event("x")); return seen`,
		`const t = new EventTarget(); t.addEventListener("x", (e) => e.preventDefault()); return [t.dispatchEvent(new Event("x", { cancelable: true })), t.dispatchEvent(new Event("x"))]`,
		`const t = new EventTarget(); const seen = []; const h = { handleEvent() { seen.push(this === h); } }; t.addEventListener("x", h); t.removeEventListener("x", h); t.addEventListener("x", h); t.dispatchEvent(new Event("x")); return seen`,
		`new CustomEvent("a", { detail: 5 }).detail`,
		`const c = new AbortController(); let n = 0; c.signal.onabort = () => n++; c.signal.addEventListener("abort", () => n++); c.abort(); c.abort(); return [n, c.signal.aborted, c.signal.reason.name]`,
		`AbortSignal.abort("why").reason`,
		`AbortSignal.abort().throwIfAborted()`,
		`const a = new AbortController(), s = AbortSignal.any([a.signal, new AbortController().signal]); a.abort("r"); return [s.aborted, s.reason]`,
		`const s = AbortSignal.timeout(5); await new Promise((r) => s.addEventListener("abort", r)); return s.reason.name`,
		`new AbortSignal()`,
		`const e = new DOMException("m", "AbortError"); return [e.name, e.message, e.code, e instanceof Error, DOMException.ABORT_ERR]`,
		`const t = new EventTarget(); const c = new AbortController(); let n = 0; t.addEventListener("x", () => n++, { signal: c.signal }); c.abort(); t.dispatchEvent(new Event("x")); return n`,
		`new EventTarget().dispatchEvent({})`,
	]);

	evaluator.sameAsNode("structuredClone", [
		`const m = structuredClone(new Map([[{ a: 1 }, new Set([1, "2"])]])); return [m instanceof Map, JSON.stringify([...m.keys()]), [...[...m.values()][0]]]`,
		`const o = { d: new Date(5), r: /x/gi, u: undefined, n: null, b: new Uint8Array([1, 2]) }; const c = structuredClone(o); return [c.d.getTime(), c.r.source, c.r.flags, "u" in c, c.n, [...c.b], c.b !== o.b]`,
		`const a = {}; a.self = a; const c = structuredClone(a); return c.self === c && c !== a`,
		`structuredClone(() => 1)`,
		`structuredClone(Symbol("x"))`,
		`structuredClone({ f() {} })`,
		`const e = structuredClone(new RangeError("m", { cause: 1 })); return [e.name, e.message, e instanceof RangeError, e.cause]`,
		`const b = new ArrayBuffer(8); const c = structuredClone(b, { transfer: [b] }); return [b.byteLength, c.byteLength]`,
		`class A { x = 1; get y() { return 2; } } const c = structuredClone(new A()); return [c.constructor === Object, c]`,
		`structuredClone([1, , 3]).hasOwnProperty(1)`,
		`structuredClone(new WeakMap())`,
		`structuredClone(new Response())`,
		`structuredClone({ get a() { throw new TypeError("x"); } })`,
		`structuredClone(Object(1n)).valueOf() === 1n`,
	]);

	evaluator.sameAsNode("streams", [
		`let s = ""; for await (const c of ReadableStream.from(["a", "b"])) s += c; return s`,
		`const t = new TransformStream({ transform(c, k) { k.enqueue(c * 2); } }); const w = t.writable.getWriter(); w.write(1); w.write(2); w.close(); const out = []; for await (const c of t.readable) out.push(c); return out`,
		`const [a, b] = ReadableStream.from([1, 2]).tee(); const r = []; for await (const x of a) r.push(x); for await (const x of b) r.push(x); return r`,
		`const out = []; await ReadableStream.from([1, 2]).pipeTo(new WritableStream({ write(c) { out.push(c); } })); return out`,
		`const s = new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint8Array([1, 2, 3])); c.close(); } }); const r = s.getReader({ mode: "byob" }); const { value } = await r.read(new Uint8Array(2)); return [...value]`,
		`new ReadableStream().getReader().read.call({}).catch((e) => e.name)`,
	]);

	evaluator.sameAsNode("crypto", [
		`const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, "0")).join(""); return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc")))`,
		`const k = await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]); const s = await crypto.subtle.sign("HMAC", k, new Uint8Array(3)); return [[...new Uint8Array(s)].slice(0, 4), await crypto.subtle.verify("HMAC", k, s, new Uint8Array(3)), k.type, k.extractable, k.algorithm.name, k.usages]`,
		`await crypto.subtle.digest("MD0", new Uint8Array())`,
		`const k = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-1" }, false, ["sign"]); await crypto.subtle.exportKey("raw", k)`,
		`crypto.getRandomValues(new Float32Array(1))`,
		`crypto.getRandomValues(new Uint8Array(70000))`,
		`[crypto.getRandomValues(new Uint32Array(4)).length, /^[0-9a-f-]{36}$/.test(crypto.randomUUID())]`,
	]);

	evaluator.sameAsNode("the rest", [
		`await new Promise((r) => queueMicrotask(() => r("micro")))`,
		`typeof performance.now() + typeof performance.timeOrigin`,
		`performance.now() <= performance.now()`,
		`queueMicrotask(5)`,
		`Object.getOwnPropertyDescriptor(globalThis, "Request").enumerable`,
		`[typeof WebAssembly.instantiate, typeof globalThis.self]`.replace("globalThis.self", "globalThis"),
	]);

	test("the time stands still while a turn runs, and goes on between turns", async () => {
		const clocks = `[Date.now(), new Date().getTime(), Number(new (class extends Date {})()), new Date().constructor.now(), performance.now() + performance.timeOrigin, Temporal.Now.instant().epochMilliseconds, Date().length > 20, new Date() instanceof Date]`;
		const [before, again, later] = (await evaluator.value(
			`const read = () => ${clocks}; const a = read(); for (let i = 0; i < 2e7; i++); const b = read(); await new Promise((r) => setTimeout(r, 20)); return [a, b, read()];`,
		)) as unknown[][];
		assert.deepEqual(again, before);
		for (let i = 0; i < 6; i++) assert.ok((later[i] as number) - (before[i] as number) >= 15, `clock ${i}`);
		for (let i = 0; i < 6; i++) assert.ok(Math.abs((before[i] as number) - Date.now()) < 10_000, `clock ${i}`);
		assert.equal(
			await evaluator.value(
				"new Date(0).toISOString() + new Date(2020, 0, 1, 12).getMonth() + Date.UTC(1970, 0, 2) + Date.parse('1970-01-01')",
			),
			"1970-01-01T00:00:00.000Z0864000000",
		);
	});

	test("WebAssembly's memory cannot be shared", async () => {
		assert.equal(
			(await evaluator.run("new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })")).error,
			"TypeError",
		);
		assert.equal(
			await evaluator.value("new WebAssembly.Memory({ initial: 1 }).buffer.constructor.name"),
			"ArrayBuffer",
		);
	});

	test("an isolate has no way to the host, and no shared memory", async () => {
		assert.deepEqual(
			await evaluator.value(
				`["process", "require", "SharedArrayBuffer", "Atomics", "Buffer", "__atoll_bridge", "__atoll_exports"].filter((name) => name in globalThis)`,
			),
			[],
		);
	});

	test("libraries that ask for Workers find them", async () => {
		assert.deepEqual(
			await evaluator.value(
				"[self instanceof WorkerGlobalScope, self instanceof ServiceWorkerGlobalScope, {} instanceof WorkerGlobalScope, new EventTarget() instanceof WorkerGlobalScope]",
			),
			[true, true, false, false],
		);
		assert.equal((await evaluator.run("new WorkerGlobalScope()")).error, "TypeError");
		assert.deepEqual(
			await evaluator.value("[navigator.userAgent, Cloudflare.compatibilityFlags, String(Cloudflare)]"),
			["Cloudflare-Workers", {}, "[object Cloudflare]"],
		);
	});

	test("a function that does not name Temporal has none", async () => {
		await evaluator.atoll.deploy(
			"unnamed",
			`export default { fetch: () => Response.json(["Temp", "oral"].join("") in globalThis) }`,
		);
		assert.equal(await evaluator.atoll.text("unnamed"), "false");
	});

	test("randomness is not frozen in the base snapshot", async () => {
		const { atoll } = evaluator;
		for (const name of ["rand1", "rand2"])
			await atoll.deploy(
				name,
				`const at = [Math.random(), crypto.randomUUID()]; export default { fetch: () => Response.json(at) }`,
			);
		const [one, two] = [await atoll.text("rand1"), await atoll.text("rand2")];
		assert.notEqual((JSON.parse(one) as number[])[0], (JSON.parse(two) as number[])[0]);
		assert.notEqual((JSON.parse(one) as string[])[1], (JSON.parse(two) as string[])[1]);
	});
});
