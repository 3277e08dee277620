import { error, standard } from "../support/standard.ts";

standard("https://html.spec.whatwg.org/", {
	"#dom-structuredclone": [
		[
			"primitives and their wrappers",
			`const c = structuredClone([undefined, null, 1n, -0, new Boolean(false), new String("s"), new Number(3)]); return [c[0] === undefined, c[1], typeof c[2], Object.is(c[3], -0), c[4].valueOf(), c[5].length, c[6] instanceof Number]`,
			[true, null, "bigint", true, false, 1, true],
		],
		[
			"dates, expressions, buffers, views",
			`const c = structuredClone({ d: new Date(5), r: /a/gi, b: new Uint8Array([1, 2]).subarray(1), v: new DataView(new ArrayBuffer(4), 1, 2) }); return [c.d.getTime(), c.r.source + c.r.flags + c.r.lastIndex, c.b.byteOffset, c.b.buffer.byteLength, c.v.byteLength]`,
			[5, "agi0", 1, 2, 2],
		],
		[
			"maps and sets, with their order",
			`const c = structuredClone(new Map([["a", new Set([1, 2])]])); return [c instanceof Map, [...c.get("a")]]`,
			[true, [1, 2]],
		],
		[
			"errors by their name, with message, stack and cause",
			`const e = new RangeError("m", { cause: 1 }); e.extra = 2; const c = structuredClone(e); return [c instanceof RangeError, c.message, c.cause, "extra" in c, typeof c.stack]`,
			[true, "m", 1, false, "string"],
		],
		[
			"an error of an unknown name is an Error",
			`class Mine extends TypeError { get name() { return "Mine"; } } return Object.getPrototypeOf(structuredClone(new Mine("x"))) === Error.prototype`,
			true,
		],
		[
			"objects keep what they refer to in common",
			`const a = {}; const c = structuredClone([a, a]); return c[0] === c[1] && c[0] !== a`,
			true,
		],
		["cycles", `const a = {}; a.a = a; const c = structuredClone(a); return c.a === c`, true],
		[
			"own enumerable string keys; getters are read, prototypes lost",
			`class A { b = 1; get c() { return 2; } } const c = structuredClone(Object.assign(new A(), { [Symbol()]: 1, get d() { return 3; } })); return [Object.getPrototypeOf(c) === Object.prototype, Object.keys(c), c.d]`,
			[true, ["b", "d"], 3],
		],
		[
			"holes of arrays stay, and their other properties",
			`const a = [1, , 3]; a.x = 4; const c = structuredClone(a); return [1 in c, c.length, c.x]`,
			[false, 3, 4],
		],
		[
			"what cannot be cloned is a DataCloneError",
			`return [() => 1, Symbol("x"), new WeakMap(), Promise.resolve(), (function* () {})(), new Proxy(() => 1, {})].map((v) => { try { structuredClone(v); } catch (e) { return [e.name, e.code]; } })`,
			Array(6).fill(["DataCloneError", 25]),
		],
		[
			"platform objects too, unless they are serializable",
			`return [new Headers(), new Response(), new Request("http://a/"), new EventTarget(), new AbortController(), new URL("http://a/"), new FormData()].map((v) => { try { structuredClone(v); } catch (e) { return e.name; } })`,
			Array(7).fill("DataCloneError"),
		],
		[
			"blobs, files, DOMExceptions and keys are",
			`const f = structuredClone(new File(["x"], "n", { type: "a/b", lastModified: 3 })); const d = structuredClone(new DOMException("m", "NotFoundError")); return [f instanceof File, f.name, f.lastModified, await f.text(), d instanceof DOMException, d.name, d.message]`,
			[true, "n", 3, "x", true, "NotFoundError", "m"],
		],
		[
			"what a getter throws comes out",
			`structuredClone({ get a() { throw new RangeError("mine"); } })`,
			error("RangeError"),
		],
		["an argument is required", `structuredClone()`, error("TypeError")],
		[
			"transfer detaches",
			`const b = new ArrayBuffer(3); const c = structuredClone({ b }, { transfer: [b] }); return [b.byteLength, c.b.byteLength]`,
			[0, 3],
		],
		[
			"a transferred buffer need not be in the value",
			`const b = new ArrayBuffer(3); structuredClone(null, { transfer: [b] }); return b.detached`,
			true,
		],
		[
			"twice the same is a DataCloneError",
			`const b = new ArrayBuffer(1); structuredClone(b, { transfer: [b, b] })`,
			error("DataCloneError"),
		],
		[
			"what cannot be transferred is a DataCloneError",
			`structuredClone({}, { transfer: [{}] })`,
			error("DataCloneError"),
		],
		[
			"a detached buffer cannot be cloned",
			`const b = new ArrayBuffer(1); structuredClone(b, { transfer: [b] }); structuredClone(b)`,
			error("DataCloneError"),
		],
		[
			"streams can be transferred",
			`const s = ReadableStream.from(["a", "b"]); const c = structuredClone(s, { transfer: [s] }); let t = ""; for await (const v of c) t += v; return [s.locked, t]`,
			[true, "ab"],
		],
		[
			"a resizable buffer stays resizable",
			`const c = structuredClone(new ArrayBuffer(2, { maxByteLength: 8 })); return [c.resizable, c.maxByteLength, c.byteLength]`,
			[true, 8, 2],
		],
	],
	"#message-channels": [
		[
			"a message arrives as a clone, later",
			`const { port1, port2 } = new MessageChannel(); const seen = []; const got = new Promise((r) => { port2.onmessage = (e) => { seen.push(e.data); r(); }; }); const o = { a: 1 }; port1.postMessage(o); o.a = 2; seen.push("sync"); await got; port1.close(); return seen`,
			["sync", { a: 1 }],
		],
		[
			"addEventListener alone does not start a port",
			`const { port1, port2 } = new MessageChannel(); let n = 0; port2.addEventListener("message", () => n++); port1.postMessage(1); await scheduler.wait(2); const before = n; const got = new Promise((r) => port2.addEventListener("message", r)); port2.start(); await got; port1.close(); return [before, n]`,
			[0, 1],
		],
		[
			"messages keep their order",
			`const { port1, port2 } = new MessageChannel(); const seen = []; const got = new Promise((r) => { port2.onmessage = (e) => { seen.push(e.data); if (e.data === 3) r(); }; }); for (const n of [1, 2, 3]) port1.postMessage(n); await got; port1.close(); return seen`,
			[1, 2, 3],
		],
		[
			"what cannot be cloned throws at once",
			`new MessageChannel().port1.postMessage(() => 1)`,
			error("DataCloneError"),
		],
		[
			"a port can be transferred",
			`const a = new MessageChannel(), b = new MessageChannel(); const got = new Promise((r) => { a.port2.onmessage = (e) => { e.ports[0].onmessage = (m) => r([m.data, e.ports.length]); }; }); a.port1.postMessage(null, [b.port2]); b.port1.postMessage("through"); const seen = await got; a.port1.close(); b.port1.close(); return seen`,
			["through", 1],
		],
		[
			"a port cannot be transferred through itself",
			`const { port1 } = new MessageChannel(); port1.postMessage(null, [port1])`,
			error("DataCloneError"),
		],
		[
			"a closed port sends nothing",
			`const { port1, port2 } = new MessageChannel(); let n = 0; port2.onmessage = () => n++; port1.close(); port1.postMessage(1); await scheduler.wait(2); return n`,
			0,
		],
		["MessagePort cannot be constructed", `new MessagePort()`, error("TypeError")],
	],
	"#dom-settimeout": [
		["arguments are handed on", `await new Promise((r) => setTimeout((a, b) => r([a, b]), 0, 1, 2))`, [1, 2]],
		[
			"returns a positive number",
			`const id = setTimeout(() => 0, 1); clearTimeout(id); return typeof id === "number" && id > 0`,
			true,
		],
		[
			"in the order of their time, then of their making",
			`const seen = []; await new Promise((r) => { setTimeout(() => seen.push("b"), 2); setTimeout(() => seen.push("a"), 0); setTimeout(() => { seen.push("c"); r(); }, 2); }); return seen`,
			["a", "b", "c"],
		],
		["a negative or odd delay counts as 0", `await new Promise((r) => setTimeout(r, -5, "ran"))`, "ran"],
		[
			"clearTimeout of nothing does nothing",
			`[clearTimeout(), clearTimeout(99999), clearInterval(null)].every((v) => v === undefined)`,
			true,
		],
		[
			"clearTimeout ends intervals, and the other way round",
			`let n = 0; const id = setInterval(() => n++, 1); clearTimeout(id); await scheduler.wait(3); return n`,
			0,
		],
		[
			"an interval runs again until it is cleared",
			`await new Promise((r) => { let n = 0; const id = setInterval(() => { if (++n === 3) { clearInterval(id); r(n); } }, 1); })`,
			3,
		],
		[
			"a callback that throws does not stop the others",
			`await new Promise((r) => { setTimeout(() => { throw new Error("mine"); }, 0); setTimeout(r, 1, "ran"); })`,
			"ran",
		],
	],
	"#microtask-queuing": [
		[
			"runs before the next task",
			`const seen = []; await new Promise((r) => { setTimeout(() => { seen.push("task"); r(); }, 0); queueMicrotask(() => seen.push("micro")); seen.push("sync"); }); return seen`,
			["sync", "micro", "task"],
		],
		["needs a function", `queueMicrotask("x")`, error("TypeError")],
	],
	"#dom-reporterror": [
		[
			"an error event, with the error and its message",
			`let seen; const f = (e) => { seen = [e.error instanceof RangeError, e.message, e.cancelable]; e.preventDefault(); }; addEventListener("error", f); reportError(new RangeError("mine")); removeEventListener("error", f); return seen`,
			[true, "mine", true],
		],
		[
			"onerror is given five arguments, and true prevents",
			`let seen; globalThis.onerror = (...args) => { seen = [args.length, args[4].message]; return true; }; reportError(new Error("mine")); globalThis.onerror = null; return seen`,
			[5, "mine"],
		],
		["an argument is required", `reportError()`, error("TypeError")],
	],
	"#dom-btoa": [
		["of Latin-1", `[btoa("\\xff\\0a"), btoa("")]`, ["/wBh", ""]],
		["above it an InvalidCharacterError", `btoa("\\u0100")`, error("InvalidCharacterError")],
		["converts", `[btoa(null), btoa(12)]`, ["bnVsbA==", "MTI="]],
	],
	"#dom-atob": [
		["white space is left out", `atob(" YQ =\\n=\\t")`, "a"],
		[
			"padding may be missing, not too much",
			`return ["YQ", "YQ=", "YQ===", "Y", "====", "Y=Q="].map((s) => { try { return atob(s); } catch (e) { return e.name; } })`,
			[
				"a",
				"InvalidCharacterError",
				"InvalidCharacterError",
				"InvalidCharacterError",
				"InvalidCharacterError",
				"InvalidCharacterError",
			],
		],
		["other characters are an InvalidCharacterError", `atob("YQ-_")`, error("InvalidCharacterError")],
	],
	"#navigator": [
		[
			"it has a user agent, and cannot be constructed",
			`return [typeof navigator.userAgent, (() => { try { new Navigator(); } catch (e) { return e.name; } })()]`,
			["string", "TypeError"],
		],
	],
});

standard("https://w3c.github.io/FileAPI/", {
	"#constructorBlob": [
		[
			"parts are joined: strings, buffers, views, blobs",
			`await new Blob(["a", new Uint8Array([98]).buffer, new Uint8Array([0, 99]).subarray(1), new Blob(["d"]), 5, null]).text()`,
			"abcd5null",
		],
		["without parts it is empty", `[new Blob().size, new Blob(undefined).size]`, [0, 0]],
		["parts are an iterable, not a string", `new Blob("abc")`, error("TypeError")],
		["any iterable will do", `await new Blob(new Set(["a", "b"])).text()`, "ab"],
		[
			"the type is lower-cased, and empty with other characters",
			`[new Blob([], { type: "A/B" }).type, new Blob([], { type: "a\\u00e9" }).type, new Blob([], { type: "a\\x01" }).type]`,
			["a/b", "", ""],
		],
		[
			"endings: native makes line feeds of all ends of lines",
			`await new Blob(["a\\r\\nb\\rc\\n"], { endings: "native" }).text()`,
			"a\nb\nc\n",
		],
		["endings takes its values only", `new Blob([], { endings: "x" })`, error("TypeError")],
	],
	"#slice-method-algo": [
		[
			"from and to, negative from the end",
			`const b = new Blob(["abcdef"]); return [await b.slice(1, 3).text(), await b.slice(-2).text(), await b.slice(2, -2).text(), await b.slice(5, 2).text(), await b.slice(0, 99).text()]`,
			["bc", "ef", "cd", "", "abcdef"],
		],
		[
			"the type is given anew",
			`[new Blob([], { type: "a/b" }).slice().type, new Blob([]).slice(0, 0, "C/D").type]`,
			["", "c/d"],
		],
	],
	"#file-constructor": [
		[
			"name and lastModified",
			`const f = new File(["x"], "n", { lastModified: 5, type: "a/b" }); return [f.name, f.lastModified, f.type, f.size, f instanceof Blob]`,
			["n", 5, "a/b", 1, true],
		],
		["both arguments are required", `new File(["x"])`, error("TypeError")],
		["the name is a USVString", `new File([], "a\\ud800").name`, "a\ufffd"],
		["lastModified is now by default", `Math.abs(new File([], "n").lastModified - Date.now()) < 1000`, true],
	],
	"#stream-method-algo": [
		[
			"gives bytes, and can be had again",
			`const b = new Blob(["abc"]); const read = async () => { let n = 0; for await (const c of b.stream()) n += c.length; return n; }; return [await read(), await read()]`,
			[3, 3],
		],
		[
			"is a byte stream",
			`(await new Blob(["abc"]).stream().getReader({ mode: "byob" }).read(new Uint8Array(2))).value.length`,
			2,
		],
		[
			"bytes, arrayBuffer, text",
			`const b = new Blob(["é"]); return [(await b.bytes()).length, (await b.arrayBuffer()).byteLength, await b.text()]`,
			[2, 2, "é"],
		],
	],
});

standard("https://xhr.spec.whatwg.org/", {
	"#interface-formdata": [
		[
			"append, get, getAll, has, delete, set",
			`const f = new FormData(); f.append("a", "1"); f.append("a", "2"); f.append("b", 3); f.set("a", "4"); f.delete("b"); return [[...f], f.get("b"), f.getAll("a"), f.has("a")]`,
			[[["a", "4"]], null, ["4"], true],
		],
		[
			"set keeps the place of the first",
			`const f = new FormData(); f.append("a", "1"); f.append("b", "2"); f.append("a", "3"); f.set("a", "x"); return [...f.keys()]`,
			["a", "b"],
		],
		[
			"a blob becomes a file named blob",
			`const f = new FormData(); f.append("a", new Blob(["x"], { type: "t/x" })); const v = f.get("a"); return [v instanceof File, v.name, v.type]`,
			[true, "blob", "t/x"],
		],
		[
			"a file keeps its name, unless one is given",
			`const f = new FormData(); f.append("a", new File([], "n")); f.append("a", new File([], "n"), "m"); return f.getAll("a").map((v) => v.name)`,
			["n", "m"],
		],
		["a filename needs a blob", `new FormData().append("a", "text", "name")`, error("TypeError")],
		["an element as argument is refused", `new FormData({})`, error("TypeError")],
		[
			"names and values are USVStrings",
			`const f = new FormData(); f.append("a\\ud800", "b\\udc00"); return [...f]`,
			[["a\ufffd", "b\ufffd"]],
		],
		["two arguments are required", `new FormData().append("a")`, error("TypeError")],
		[
			"iteration sees what changes",
			`const f = new FormData(); f.append("a", "1"); const seen = []; for (const [k] of f) { seen.push(k); if (seen.length === 1) f.append("b", "2"); } return seen`,
			["a", "b"],
		],
	],
	"#multipart-form-data": [
		[
			"names and filenames are escaped, values' line ends normalised",
			`const f = new FormData(); f.append('a"\\r\\nb', "x\\ny"); const t = await new Response(f).text(); return [t.includes('name="a%22%0D%0Ab"'), t.includes("\\r\\n\\r\\nx\\r\\ny\\r\\n")]`,
			[true, true],
		],
		[
			"goes there and back",
			`const f = new FormData(); f.append("ü", "é"); f.append("f", new File([new Uint8Array([0, 255, 13, 10])], "x.bin", { type: "a/b" })); const g = await new Response(f).formData(); const v = g.get("f"); return [g.get("ü"), v.name, v.type, [...await v.bytes()]]`,
			["é", "x.bin", "a/b", [0, 255, 13, 10]],
		],
		[
			"a body that is malformed rejects",
			`await new Response("--x\\r\\nnonsense", { headers: { "content-type": "multipart/form-data; boundary=x" } }).formData()`,
			error("TypeError"),
		],
		[
			"without a boundary it rejects",
			`await new Response("x", { headers: { "content-type": "multipart/form-data" } }).formData()`,
			error("TypeError"),
		],
		["an empty form goes there and back", `[...await new Response(new FormData()).formData()].length`, 0],
	],
});

standard("https://url.spec.whatwg.org/", {
	"#interface-urlsearchparams": [
		[
			"from a string, with or without a question mark",
			`[String(new URLSearchParams("?a=1")), String(new URLSearchParams("a=1")), String(new URLSearchParams("??a=1"))]`,
			["a=1", "a=1", "%3Fa=1"],
		],
		["from a sequence, each of two", `new URLSearchParams([["a"]])`, error("TypeError")],
		["from a record", `String(new URLSearchParams({ b: 2, a: "1" }))`, "b=2&a=1"],
		[
			"delete and has with a value",
			`const p = new URLSearchParams("a=1&a=2"); p.delete("a", "1"); return [String(p), p.has("a", "2"), p.has("a", "1"), p.has("a", undefined)]`,
			["a=2", true, false, true],
		],
		[
			"sort is stable, by code units",
			`const p = new URLSearchParams("ﬃ=1&🌈=2&a=1&a=0"); p.sort(); return [...p.keys()]`,
			["a", "a", "🌈", "ﬃ"],
		],
		["size counts all", `new URLSearchParams("a=1&a=2&b").size`, 3],
		[
			"changes reach the URL, and its changes the parameters",
			`const u = new URL("http://a/?x=1"); const p = u.searchParams; p.append("y", "2"); const one = u.search; u.search = "?z=3"; return [one, p.get("z"), p.has("x")]`,
			["?x=1&y=2", "3", false],
		],
		[
			"deleting the last takes the question mark too",
			`const u = new URL("http://a/?x=1"); u.searchParams.delete("x"); return u.href`,
			"http://a/",
		],
		[
			"iteration sees what changes",
			`const u = new URL("http://a/?a=1&b=2&c=3"); const seen = []; for (const [k] of u.searchParams) { seen.push(k); u.searchParams.delete(k); } return seen`,
			["a", "c"],
		],
	],
	"#url-class": [
		[
			"parse gives null, canParse false, the constructor throws",
			`let name; try { new URL("x"); } catch (e) { name = e.name; } return [URL.parse("x"), URL.canParse("x"), name]`,
			[null, false, "TypeError"],
		],
		["a base that does not parse throws, also for an absolute URL", `new URL("http://a/", "x")`, error("TypeError")],
		[
			"searchParams is the same each time",
			`const u = new URL("http://a/"); return u.searchParams === u.searchParams`,
			true,
		],
		[
			"href throws, the others do not",
			`const u = new URL("http://a/"); let name; try { u.href = "x"; } catch (e) { name = e.name; } u.port = "99999"; u.protocol = "mailto"; u.host = ""; return [name, u.href]`,
			["TypeError", "http://a/"],
		],
		[
			"toJSON and toString are the href",
			`const u = new URL("http://a/b"); return [JSON.stringify([u]), String(u)]`,
			['["http://a/b"]', "http://a/b"],
		],
		[
			"origin of schemes without one is null as text",
			`[new URL("data:x").origin, new URL("blob:http://a/x").origin, new URL("file:///x").origin]`,
			["null", "http://a", "null"],
		],
	],
});
