import { error, standard } from "../support/standard.ts";

standard("https://fetch.spec.whatwg.org/", {
	"#concept-headers-fill": [
		[
			"1. a sequence: each member is a pair",
			`[...new Headers([["a", "1"], new Set(["b", "2"])])]`,
			[
				["a", "1"],
				["b", "2"],
			],
		],
		["1. a member of another length is refused", `new Headers([["a", "1", "2"]])`, error("TypeError")],
		["1. a string is no pair", `new Headers(["ab"])`, error("TypeError")],
		[
			"2. a record: its own enumerable keys, in their order",
			`[...new Headers(Object.create({ c: "3" }, { b: { value: "2", enumerable: true }, d: { value: "4" } }))]`,
			[["b", "2"]],
		],
		["2. a record: symbols are no header names", `new Headers({ [Symbol("a")]: "1" })`, error("TypeError")],
		[
			"2. a record: values are converted to byte strings",
			`[...new Headers({ a: 1, b: null, c: undefined })]`,
			[
				["a", "1"],
				["b", "null"],
				["c", "undefined"],
			],
		],
		["an object with an iterator is a sequence", `[...new Headers(new Map([["x", "1"]]))]`, [["x", "1"]]],
		[
			"primitives and null are refused",
			`return [null, 1, "a", true].map((i) => { try { new Headers(i); } catch (e) { return e.name; } })`,
			["TypeError", "TypeError", "TypeError", "TypeError"],
		],
		[
			"a proxy is asked for its keys, then for each descriptor and value",
			`const seen = []; new Headers(new Proxy({ a: "1" }, { get: (t, k) => (seen.push("get " + String(k)), t[k]), ownKeys: (t) => (seen.push("keys"), Reflect.ownKeys(t)), getOwnPropertyDescriptor: (t, k) => (seen.push("own " + k), Reflect.getOwnPropertyDescriptor(t, k)) })); return seen`,
			["get Symbol(Symbol.iterator)", "keys", "own a", "get a"],
		],
	],
	"#dom-headers-append": [
		[
			"1. white space around the value goes",
			`const h = new Headers(); h.append("a", "\\t x y \\r\\n"); return h.get("a")`,
			"x y",
		],
		[
			"2. a name that is no token is refused",
			`return ["", "a b", "a:", "ä", "a\\n", "(x)"].map((n) => { try { new Headers().append(n, "1"); } catch (e) { return e.name; } })`,
			Array(6).fill("TypeError"),
		],
		[
			"2. a value with NUL, CR or LF inside is refused",
			`return ["a\\0b", "a\\nb", "a\\rb"].map((v) => { try { new Headers().append("a", v); } catch (e) { return e.name; } })`,
			Array(3).fill("TypeError"),
		],
		["2. a value above U+00FF is refused", `new Headers().append("a", "\\u0100")`, error("TypeError")],
		[
			"2. other control characters and Latin-1 stay",
			`const h = new Headers(); h.append("a", "\\x01é\\x7f"); return h.get("a")`,
			"\u0001é\u007f",
		],
		[
			"3. of an immutable list nothing changes",
			`const r = Response.redirect("http://a/"); try { r.headers.append("a", "1"); } catch (e) { return [e.name, r.headers.has("a")]; }`,
			["TypeError", false],
		],
		[
			"values of one name are combined with a comma and a space",
			`const h = new Headers({ a: "1" }); h.append("A", "2"); h.append("a", ""); return h.get("a")`,
			"1, 2, ",
		],
	],
	"#dom-headers-delete": [
		[
			"2. does nothing where there is none",
			`const h = new Headers({ a: "1" }); h.delete("b"); h.delete("A"); return [...h]`,
			[],
		],
		["1. a name that is no token is refused", `new Headers().delete("")`, error("TypeError")],
	],
	"#dom-headers-set": [
		[
			"replaces the first, and removes the others",
			`const h = new Headers([["a", "1"], ["b", "2"], ["a", "3"]]); h.set("A", "4"); return [...h]`,
			[
				["a", "4"],
				["b", "2"],
			],
		],
		[
			"set-cookie too is one then",
			`const h = new Headers([["set-cookie", "a"], ["set-cookie", "b"]]); h.set("set-cookie", "c"); return h.getSetCookie()`,
			["c"],
		],
	],
	"#dom-headers-getsetcookie": [
		[
			"each value by itself, in order",
			`new Headers([["Set-Cookie", "a=1, b"], ["x", "y"], ["set-cookie", "c"]]).getSetCookie()`,
			["a=1, b", "c"],
		],
		["get() combines them", `new Headers([["Set-Cookie", "a"], ["set-cookie", "b"]]).get("SET-COOKIE")`, "a, b"],
	],
	"#concept-header-list-sort-and-combine": [
		[
			"sorted by name, set-cookie never combined",
			`[...new Headers([["b", "1"], ["set-cookie", "x"], ["a", "2"], ["set-cookie", "y"], ["B", "3"]])]`,
			[
				["a", "2"],
				["b", "1, 3"],
				["set-cookie", "x"],
				["set-cookie", "y"],
			],
		],
		[
			"iteration sees what changes while it goes on",
			`const h = new Headers({ a: "1", c: "3" }); const seen = []; for (const [k] of h) { seen.push(k); if (k === "a") h.append("b", "2"); } return seen`,
			["a", "b", "c"],
		],
		[
			"and what is deleted",
			`const h = new Headers({ a: "1", b: "2", c: "3" }); const seen = []; for (const [k] of h) { seen.push(k); h.delete(k); } return seen`,
			["a", "c"],
		],
		[
			"the iterator's prototype",
			`const p = Object.getPrototypeOf(new Headers().entries()); return [p[Symbol.toStringTag], Object.keys(p), Object.getPrototypeOf(p) === Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))]`,
			["Headers Iterator", ["next"], true],
		],
		[
			"forEach gives value, name, object, with thisArg",
			`const out = []; const me = {}; const h = new Headers({ a: "1" }); h.forEach(function (v, k, o) { out.push(v, k, o === h, this === me); }, me); return out`,
			["1", "a", true, true],
		],
	],
	"#dom-request": [
		["5. a URL with credentials is refused", `new Request("http://u:p@a/")`, error("TypeError")],
		["5. a relative URL has no base here", `new Request("/x")`, error("TypeError")],
		["5. the fragment stays in the URL", `new Request("http://a/b#c").url`, "http://a/b#c"],
		[
			"a method that is forbidden is refused",
			`return ["CONNECT", "trace", "TRACK"].map((m) => { try { new Request("http://a/", { method: m }); } catch (e) { return e.name; } })`,
			Array(3).fill("TypeError"),
		],
		["a method that is no token is refused", `new Request("http://a/", { method: "a b" })`, error("TypeError")],
		[
			"six methods are normalised, patch is not",
			`["get", "Head", "post", "put", "delete", "options", "patch", "Foo"].map((method) => new Request("http://a/", { method }).method)`,
			["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "patch", "Foo"],
		],
		[
			"a body with GET or HEAD is refused",
			`return ["GET", "HEAD"].map((method) => { try { new Request("http://a/", { method, body: "x" }); } catch (e) { return e.name; } })`,
			["TypeError", "TypeError"],
		],
		["an empty body with GET is refused too", `new Request("http://a/", { body: "" })`, error("TypeError")],
		["a null body with GET is none", `new Request("http://a/", { body: null }).body`, null],
		["window other than null is refused", `new Request("http://a/", { window: {} })`, error("TypeError")],
		["mode navigate is refused", `new Request("http://a/", { mode: "navigate" })`, error("TypeError")],
		["only-if-cached needs same-origin", `new Request("http://a/", { cache: "only-if-cached" })`, error("TypeError")],
		[
			"enumerations take their values only",
			`return ["redirect", "credentials", "cache", "mode", "referrerPolicy"].map((k) => { try { new Request("http://a/", { [k]: "nope" }); } catch (e) { return e.name; } })`,
			Array(5).fill("TypeError"),
		],
		[
			"another request's body is taken over",
			`const a = new Request("http://a/", { method: "POST", body: "x" }); const b = new Request(a); return [a.bodyUsed, await b.text(), b.method]`,
			[true, "x", "POST"],
		],
		[
			"unless init brings one",
			`const a = new Request("http://a/", { method: "POST", body: "x" }); const b = new Request(a, { body: "y" }); return [a.bodyUsed, await b.text(), await a.text()]`,
			[false, "y", "x"],
		],
		[
			"a used body cannot be taken over",
			`const a = new Request("http://a/", { method: "POST", body: "x" }); await a.text(); new Request(a)`,
			error("TypeError"),
		],
		[
			"but may be replaced",
			`const a = new Request("http://a/", { method: "POST", body: "x" }); await a.text(); return await new Request(a, { body: "z" }).text()`,
			"z",
		],
		[
			"init's headers take the place of all others",
			`[...new Request(new Request("http://a/", { headers: { a: "1" } }), { headers: { b: "2" } }).headers]`,
			[["b", "2"]],
		],
		[
			"the signal follows the one that was given",
			`const c = new AbortController(); const r = new Request("http://a/", { signal: c.signal }); c.abort("why"); return [r.signal === c.signal, r.signal.aborted, r.signal.reason]`,
			[false, true, "why"],
		],
		[
			"the signal of another request is followed",
			`const c = new AbortController(); const r = new Request(new Request("http://a/", { signal: c.signal })); c.abort(); return r.signal.aborted`,
			true,
		],
		[
			"signal: null cuts that tie",
			`const c = new AbortController(); const r = new Request(new Request("http://a/", { signal: c.signal }), { signal: null }); c.abort(); return r.signal.aborted`,
			false,
		],
		["what is no signal is refused", `new Request("http://a/", { signal: {} })`, error("TypeError")],
		[
			"the body's type becomes the content type",
			`[new Request("http://a/", { method: "POST", body: "x" }).headers.get("content-type"), new Request("http://a/", { method: "POST", body: new URLSearchParams() }).headers.get("content-type"), new Request("http://a/", { method: "POST", body: new Uint8Array() }).headers.get("content-type")]`,
			["text/plain;charset=UTF-8", "application/x-www-form-urlencoded;charset=UTF-8", null],
		],
		[
			"a content type that was given stays",
			`new Request("http://a/", { method: "POST", body: "x", headers: { "content-type": "a/b" } }).headers.get("content-type")`,
			"a/b",
		],
		[
			"defaults",
			`const r = new Request("http://a/"); return [r.method, r.mode, r.credentials, r.cache, r.redirect, r.referrer, r.referrerPolicy, r.integrity, r.keepalive, r.destination, r.duplex]`,
			["GET", "cors", "same-origin", "default", "follow", "about:client", "", "", false, "", "half"],
		],
	],
	"#dom-request-clone": [
		[
			"1. an unusable body cannot be cloned",
			`const r = new Request("http://a/", { method: "POST", body: "x" }); await r.text(); r.clone()`,
			error("TypeError"),
		],
		[
			"both bodies can be read",
			`const r = new Request("http://a/", { method: "POST", body: "x" }); const c = r.clone(); return [await r.text(), await c.text()]`,
			["x", "x"],
		],
		[
			"headers are copies",
			`const r = new Request("http://a/", { headers: { a: "1" } }); const c = r.clone(); c.headers.set("a", "2"); return r.headers.get("a")`,
			"1",
		],
		[
			"the clone's signal follows",
			`const k = new AbortController(); const c = new Request("http://a/", { signal: k.signal }).clone(); k.abort(); return c.signal.aborted`,
			true,
		],
	],
	"#dom-response": [
		[
			"a status out of range is a RangeError",
			`return [199, 600, 0, NaN, 1000].map((status) => { try { new Response("", { status }); } catch (e) { return e.name; } })`,
			Array(5).fill("RangeError"),
		],
		[
			"a status text that is no reason phrase is a TypeError",
			`new Response("", { statusText: "a\\nb" })`,
			error("TypeError"),
		],
		[
			"a body with a null body status is refused",
			`return [204, 205, 304].map((status) => { try { new Response("x", { status }); } catch (e) { return e.name; } })`,
			Array(3).fill("TypeError"),
		],
		[
			"a null body is fine with it",
			`[204, 205, 304].map((status) => new Response(null, { status }).status)`,
			[204, 205, 304],
		],
		[
			"status is converted as an unsigned short",
			`[200.9, 65736, "201"].map((status) => new Response("", { status }).status)`,
			[200, 200, 201],
		],
		[
			"defaults",
			`const r = new Response(); return [r.type, r.url, r.redirected, r.status, r.ok, r.statusText, r.body, r.bodyUsed, [...r.headers]]`,
			["default", "", false, 200, true, "", null, false, []],
		],
		[
			"ok is 200 to 299",
			`[200, 299, 300, 404].map((status) => new Response("", { status }).ok)`,
			[true, true, false, false],
		],
	],
	"#dom-response-error": [
		[
			"a network error",
			`const r = Response.error(); return [r.type, r.status, r.statusText, r.body, r.ok]`,
			["error", 0, "", null, false],
		],
		["its headers are immutable", `Response.error().headers.append("a", "b")`, error("TypeError")],
	],
	"#dom-response-redirect": [
		["1. the URL has to parse", `Response.redirect("http://[")`, error("TypeError")],
		[
			"3. only redirect statuses",
			`return [200, 300, 304, 399].map((s) => { try { Response.redirect("http://a/", s); } catch (e) { return e.name; } })`,
			Array(4).fill("RangeError"),
		],
		[
			"6. the location is the serialised URL",
			`const r = Response.redirect("http://a/é b"); return [r.status, r.headers.get("location")]`,
			[302, "http://a/%C3%A9%20b"],
		],
		[
			"all five",
			`[301, 302, 303, 307, 308].map((s) => Response.redirect("http://a/", s).status)`,
			[301, 302, 303, 307, 308],
		],
	],
	"#dom-response-json": [
		["1. undefined has no JSON", `Response.json(undefined)`, error("TypeError")],
		[
			"1. nor have functions and symbols",
			`return [() => 1, Symbol()].map((v) => { try { Response.json(v); } catch (e) { return e.name; } })`,
			["TypeError", "TypeError"],
		],
		["1. a cycle throws", `const a = {}; a.a = a; Response.json(a)`, error("TypeError")],
		[
			"1. toJSON's own error comes through",
			`Response.json({ toJSON() { throw new RangeError("mine"); } })`,
			error("RangeError"),
		],
		["4. its content type", `Response.json({}).headers.get("content-type")`, "application/json"],
		[
			"4. unless one was given",
			`Response.json({}, { headers: { "content-type": "a/b" }, status: 201 }).headers.get("content-type")`,
			"a/b",
		],
		["a null body status is refused", `Response.json({}, { status: 204 })`, error("TypeError")],
	],
	"#dom-response-clone": [
		[
			"1. a used or locked body cannot be cloned",
			`const r = new Response("x"); r.body.getReader(); r.clone()`,
			error("TypeError"),
		],
		[
			"both streams carry the same bytes",
			`const r = new Response(ReadableStream.from([new Uint8Array([65, 66])])); const c = r.clone(); return [await c.text(), await r.text()]`,
			["AB", "AB"],
		],
		[
			"the first may be read while the second waits",
			`const r = new Response("abc"); const c = r.clone(); await r.text(); return [r.bodyUsed, c.bodyUsed, await c.text()]`,
			[true, false, "abc"],
		],
	],
	"#concept-bodyinit-extract": [
		[
			"bytes are copied",
			`const b = new Uint8Array([65]); const r = new Response(b); b[0] = 66; return await r.text()`,
			"A",
		],
		[
			"a detached buffer is empty",
			`const b = new ArrayBuffer(3); structuredClone(b, { transfer: [b] }); return (await new Response(b).arrayBuffer()).byteLength`,
			0,
		],
		[
			"a blob gives its type",
			`new Response(new Blob(["x"], { type: "Text/X" })).headers.get("content-type")`,
			"text/x",
		],
		["a blob without a type gives none", `new Response(new Blob(["x"])).headers.get("content-type")`, null],
		[
			"a form gives a boundary",
			`/^multipart\\/form-data; boundary=.{10,}/.test(new Response(new FormData()).headers.get("content-type"))`,
			true,
		],
		[
			"a string is encoded as UTF-8, lone surrogates replaced",
			`[...await new Response("a\\ud800").bytes()]`,
			[97, 0xef, 0xbf, 0xbd],
		],
		[
			"a disturbed or locked stream is refused",
			`const s = new ReadableStream(); s.getReader(); new Response(s)`,
			error("TypeError"),
		],
		["anything else is a string", `await new Response({ toString: () => "obj" }).text()`, "obj"],
		["a symbol cannot be one", `new Response(Symbol())`, error("TypeError")],
	],
	"#body-mixin": [
		["a second read rejects", `const r = new Response("x"); await r.text(); await r.text()`, error("TypeError")],
		[
			"it rejects, and does not throw",
			`const r = new Response("x"); await r.text(); return r.json() instanceof Promise`,
			true,
		],
		[
			"a null body can be read again and again",
			`const r = new Response(); return [await r.text(), await r.text(), r.bodyUsed]`,
			["", "", false],
		],
		["text leaves out the byte order mark", `await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 65])).text()`, "A"],
		["json too", `await new Response(new Uint8Array([0xef, 0xbb, 0xbf, 49])).json()`, 1],
		["json of what is none is a SyntaxError", `await new Response("{").json()`, error("SyntaxError")],
		["json of nothing is a SyntaxError", `await new Response().json()`, error("SyntaxError")],
		[
			"blob has the content type",
			`(await new Response("x", { headers: { "content-type": "A/B;  c=d" } }).blob()).type`,
			"a/b;c=d",
		],
		[
			"bytes and arrayBuffer are the caller's own",
			`const r = new Response("ab"); const b = await r.bytes(); b[0] = 90; return [b.constructor === Uint8Array, b.buffer.byteLength]`,
			[true, 2],
		],
		["formData needs a content type that it knows", `await new Response("a=b").formData()`, error("TypeError")],
		[
			"formData of an urlencoded body",
			`[...await new Response("a=1&b=%20+", { headers: { "content-type": "application/x-www-form-urlencoded" } }).formData()]`,
			[
				["a", "1"],
				["b", "  "],
			],
		],
		[
			"a stream that yields other than bytes rejects",
			`await new Response(new ReadableStream({ start(c) { c.enqueue("text"); c.close(); } })).text()`,
			error("TypeError"),
		],
		[
			"a stream's own error comes through",
			`await new Response(new ReadableStream({ start(c) { c.error(new RangeError("mine")); } })).text()`,
			error("RangeError"),
		],
		[
			"bodyUsed once it was read from",
			`const r = new Response("x"); const reader = r.body.getReader(); const before = r.bodyUsed; await reader.read(); return [before, r.bodyUsed]`,
			[false, true],
		],
		["called on something else it rejects", `await Response.prototype.text.call({})`, error("TypeError")],
		[
			"textStream gives strings",
			`let s = ""; for await (const c of new Response("aé").textStream()) s += typeof c + c; return s`,
			"stringaé",
		],
	],
	"#fetch-method": [
		[
			"2. a bad request rejects with a TypeError",
			`await fetch("http://a/", { method: "GET", body: "x" })`,
			error("TypeError"),
		],
		[
			"2. it rejects, and does not throw",
			`const p = fetch("nope"); p.catch(() => 0); return p instanceof Promise`,
			true,
		],
		[
			"4. an aborted signal rejects with its reason",
			`await fetch("http://a/", { signal: AbortSignal.abort(new RangeError("mine")) })`,
			error("RangeError"),
		],
		[
			"4. without one, with an AbortError",
			`await fetch("http://a/", { signal: AbortSignal.abort() })`,
			error("AbortError"),
		],
		["a network error is a TypeError", `await fetch("http://127.0.0.1:1/")`, error("TypeError")],
		["other schemes are network errors", `await fetch("ftp://a/")`, error("TypeError")],
		["its length is 1", `[fetch.length, fetch.name]`, [1, "fetch"]],
	],
});
