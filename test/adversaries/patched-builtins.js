// Replaces every method, getter and static function of JavaScript's built-ins by one that throws, then uses the platform's APIs.
import { exports, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

const Failure = Error;
const refuse = (name) =>
	function replaced() {
		throw new Failure(`the platform has called ${name}`);
	};
const { ownKeys, getOwnPropertyDescriptor, defineProperty, getPrototypeOf } = Reflect;

const { FormData, File, Blob, Headers, Request, Response, ReadableStream, TransformStream, TextEncoder, TextDecoder, URL, URLSearchParams, URLPattern } = globalThis;
const { ArrayBuffer, Uint8Array, EventTarget, Event, AbortController, CompressionStream, DecompressionStream, FixedLengthStream, MessageChannel, structuredClone, crypto, setTimeout, Promise } = globalThis;

const CONSTRUCTORS = [
	...[Array, ArrayBuffer, BigInt, Boolean, DataView, Error, Function, Map, Number, Promise, RegExp, Set, String, Symbol],
	...[TypeError, Uint8Array, WeakMap, WeakRef, WeakSet, Object, getPrototypeOf(Uint8Array), Iterator],
];
const PROTOTYPES = [
	...["", [], new Map(), new Set()].map((iterable) => getPrototypeOf(iterable[Symbol.iterator]())),
	getPrototypeOf("".matchAll(/x/g)),
	getPrototypeOf(function* () {}).prototype,
	getPrototypeOf(async function* () {}).prototype,
];
const NAMESPACES = [JSON, Math, Reflect];
// Without these a language's own syntax stops to work, the function's included.
const SYNTAX = new Set(["constructor", "prototype", "__proto__", Symbol.species, Symbol.hasInstance, Symbol.toPrimitive, Symbol.unscopables]);

const replacements = [];
for (const holder of [...CONSTRUCTORS, ...CONSTRUCTORS.map((c) => c.prototype), ...PROTOTYPES, ...NAMESPACES]) {
	for (const key of ownKeys(holder)) {
		const { value, get, configurable, writable } = getOwnPropertyDescriptor(holder, key);
		if (SYNTAX.has(key) || !configurable || (typeof value !== "function" && get === undefined)) continue;
		if (typeof key === "symbol" && key.description !== undefined && !key.description.startsWith("Symbol.")) continue;
		if (CONSTRUCTORS.includes(value)) continue;
		const name = `${holder.name ?? holder.constructor?.name} ${String(key)}`;
		// biome-ignore lint/suspicious/noPrototypeBuiltins: it is what this is about.
		replacements.push({ holder, key, descriptor: value !== undefined && writable ? { value: refuse(name), configurable: true, writable: true } : { get: refuse(name), configurable: true } });
	}
}
const GLOBALS = [];
for (const name of ["Array", "ArrayBuffer", "Map", "Set", "WeakMap", "Promise", "Uint8Array", "TypeError", "Error", "RegExp", "String", "Number", "Symbol", "JSON", "Object", "Reflect", "Math", "parseInt", "isNaN", "encodeURIComponent", "Headers", "Request", "ReadableStream", "TextEncoder", "Blob", "URL"])
	GLOBALS.push(name);

function patch(scope) {
	for (let i = 0; i < replacements.length; i++) {
		const { holder, key, descriptor } = replacements[i];
		defineProperty(holder, key, descriptor);
	}
	for (let i = 0; i < GLOBALS.length; i++) scope[GLOBALS[i]] = refuse(GLOBALS[i]);
}

const PARTS = {
	headers() {
		const headers = new Headers([["b", "2"], ["a", "1"]]);
		headers.append("a", " 3 ");
		headers.delete("b");
		headers.set("c", "4");
		let text = "";
		headers.forEach((value, name) => { text += `${name}=${value};`; });
		return text;
	},
	params() {
		const params = new URLSearchParams("?a=1&b=%20x");
		params.append("c", "ü");
		params.sort();
		return `${params} ${params.get("b")}`;
	},
	url: () => {
		const url = new URL("../x?y=1#z", "https://user@example.com/a/b/");
		url.searchParams.set("y", "2");
		url.port = "8080";
		return url.href;
	},
	pattern: () => new URLPattern({ pathname: "/users/:id" }).exec("https://a.example/users/7").pathname.groups.id,
	async form() {
		const form = new FormData();
		form.append("a", "1");
		form.append("f", new File(["x", "yz"], "f.txt", { type: "text/plain" }));
		const request = new Request("http://a.example/", { method: "POST", body: form });
		const back = await request.formData();
		return `${back.get("a")} ${back.get("f").name} ${await back.get("f").text()}`;
	},
	blob: async () => await new Blob(["ab", new Uint8Array(2), "c"]).slice(1, 5).text(),
	json: async () => (await (await Response.json({ a: [1, { b: 2 }] })).json()).a[1].b,
	base64: () => atob(btoa("hello")),
	text: () => new TextDecoder("utf-8", { fatal: true }).decode(new TextEncoder().encode("grüß €")),
	latin: () => new TextDecoder("windows-1252").decode(new Uint8Array(3)).length,
	async streams() {
		let sent = 0;
		const source = new ReadableStream({
			pull(controller) {
				controller.enqueue(new TextEncoder().encode(`${sent++};`));
				if (sent === 3) controller.close();
			},
		});
		let seen = 0;
		const through = source.pipeThrough(new TransformStream({ transform(chunk, controller) { seen++; controller.enqueue(chunk); } }));
		const both = through.tee();
		const first = await new Response(both[0]).text();
		return `${first} ${await new Response(both[1]).text()} ${seen}`;
	},
	async compression() {
		const packed = new Response("hello hello hello").body.pipeThrough(new CompressionStream("gzip"));
		return await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).text();
	},
	async fixed() {
		const { readable, writable } = new FixedLengthStream(6);
		const writer = writable.getWriter();
		const written = (async () => {
			await writer.write(new TextEncoder().encode("fix"));
			await writer.write(new TextEncoder().encode("ed."));
			await writer.close();
		})();
		const reader = readable.getReader({ mode: "byob" });
		const first = await reader.read(new Uint8Array(2));
		reader.releaseLock();
		const rest = readable.getReader();
		let length = 0;
		for (let chunk = await rest.read(); !chunk.done; chunk = await rest.read()) length += chunk.value.byteLength;
		await written;
		return `${first.value.byteLength} ${length}`;
	},
	clone: () => {
		const copy = structuredClone({ a: [1, 2], b: { c: "d" } });
		return `${copy.a[1]} ${copy.b.c}`;
	},
	events() {
		const target = new EventTarget();
		let heard = "";
		target.addEventListener("x", (event) => { heard += event.type; }, { once: true });
		target.dispatchEvent(new Event("x"));
		target.dispatchEvent(new Event("x"));
		return heard;
	},
	abort() {
		const controller = new AbortController();
		const signal = AbortSignal.any([controller.signal]);
		controller.abort("enough");
		return `${signal.aborted} ${signal.reason}`;
	},
	async digest() {
		const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("x"));
		return `${hash instanceof ArrayBuffer}`;
	},
	timers: () => new Promise((resolve) => { setTimeout(resolve, 1, "fired"); }),
	async port() {
		const { port1, port2 } = new MessageChannel();
		const heard = new Promise((resolve) => { port2.onmessage = (event) => resolve(event.data.a); });
		port1.postMessage({ a: "b" });
		const data = await heard;
		port1.close();
		return data;
	},
	async cached() {
		await caches.default.put("http://a.example/cached", new Response("kept", { headers: { "cache-control": "max-age=60" } }));
		return await (await caches.default.match("http://a.example/cached")).text();
	},
	async rpc() {
		const given = { a: [1, "x"], bytes: new Uint8Array(2), date: new Date(7), big: 5n, response: new Response("r"), stream: new Response("s").body, headers: new Headers({ h: "v" }) };
		const back = await exports.Methods.echo(given);
		const text = `${back.a[1]} ${back.bytes.length} ${await back.response.text()}${await new Response(back.stream).text()} ${back.headers.get("h")}`;
		try {
			const target = await exports.Methods.target();
			if ((await target.twice(4)) + (await exports.Methods.target().twice(1)) !== 10) return "wrong";
			return await exports.Methods.fails();
		} catch (error) {
			return `${text} ${error.message}`;
		}
	},
	log: () => {
		console.log("a %s", "b", { c: [1, 2] });
		return "logged";
	},
};
class Target extends RpcTarget {
	twice(n) {
		return 2 * n;
	}
}
export class Methods extends WorkerEntrypoint {
	echo(given) {
		return given;
	}
	target() {
		return new Target();
	}
	fails() {
		throw new Failure("thrown");
	}
}

const NAMES = Object.keys(PARTS);

export default {
	async fetch(request) {
		patch(globalThis);
		let text = "";
		for (let i = 0; i < NAMES.length; i++) {
			try {
				text += `${NAMES[i]}: ${await PARTS[NAMES[i]]()}\n`;
			} catch (error) {
				text += `${NAMES[i]}: ${error.stack}\n`;
			}
		}
		return new Response(text, { headers: { "x-host": request.headers.get("host") } });
	},
};
