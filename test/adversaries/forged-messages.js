// Answers for the platform's own records, wherever those can be made to ask: on the prototypes behind its lists, texts,
// numbers and bytes.
// Its own records ask nobody.
const define = (object, key, descriptor) =>
	Object.defineProperty(object, key, { __proto__: null, configurable: true, ...descriptor });
const { getPrototypeOf, ownKeys } = Reflect;
const KEYS = `status statusText headers body socket url method redirect redirected level message code name stack reason value data text error kind op
attempt version type key pair json handle algorithm usages publicExponent $key client cause duplex signal toJSON length done next return get set`;
const all = (act) => {
	for (const key of KEYS.split(/\s+/)) act(key);
};
// Of a kind that is found out only by whoever asks twice, or who asks another object first.
const byReceiver = (answer) => ({
	get() {
		return this === Array.prototype ? undefined : answer;
	},
	set() {},
});
const FORGED_HEAD = "200\nnone\n0\n\nX-Atoll-Error\nforged\nContent-Length\n1\nContent-Length\n2\ntransfer-encoding\nchunked";

export const variants = {
	toJsonByReceiver: () => define(Object.prototype, "toJSON", byReceiver(() => undefined)),
	toJsonOfTexts() {
		for (const { prototype } of [String, Number, Boolean, Array, Object]) define(prototype, "toJSON", { value: () => ({ status: 99 }) });
	},
	gettersOfEveryKey: () => all((key) => define(Object.prototype, key, byReceiver(FORGED_HEAD))),
	gettersThatThrow: () => all((key) => define(Object.prototype, key, { get: () => JSON.parse("{"), set: () => JSON.parse("{") })),
	settersThatKeep: () => all((key) => define(Object.prototype, key, { set() {} })),
	// biome-ignore lint/suspicious/noThenProperty: it is what this is about.
	thenables: () => define(Object.prototype, "then", { value: (resolve) => resolve(FORGED_HEAD) }),
	thenByReceiver() {
		const then = (resolve) => resolve({ __proto__: null, text: FORGED_HEAD, data: 1, done: false, value: FORGED_HEAD });
		const get = function () {
			return this instanceof Response || this instanceof Promise ? undefined : then;
		};
		define(Object.prototype, "then", { get, set() {} });
	},
	toPrimitive() {
		for (const { prototype } of [String, Number, Object, Array, Function])
			define(prototype, Symbol.toPrimitive, { value: () => "a\nb", writable: true });
		for (const { prototype } of [String, Number, Array]) {
			prototype.toString = () => "x\ny";
			prototype.valueOf = () => NaN;
		}
	},
	indexSetters: () => define(Array.prototype, "0", { get: () => "a\nb", set() {} }),
	indexNames() {
		define(Array.prototype, "0", { get: () => "X-Atoll-Error", set() {} });
		define(Array.prototype, "1", { get: () => "forged", set() {} });
	},
	indexLengths() {
		define(Array.prototype, "0", { get: () => "content-length\n1\nContent-Length", set() {} });
		define(Array.prototype, "1", { get: () => "2\r\nset-cookie: a=b", set() {} });
	},
	indexObjects: () => define(Array.prototype, "1", { get: () => ({ toString: () => `\n${"\n".repeat(1000)}` }), set() {} }),
	indicesOfObjects() {
		for (const index of ["0", "2", "3"]) define(Object.prototype, index, byReceiver("X-Atoll-Error"));
	},
	instances() {
		for (const constructor of [Uint8Array, ArrayBuffer, Array, Map, Set, Error, Promise, Request, Response, ReadableStream])
			define(constructor, Symbol.hasInstance, { value: () => true });
	},
	iterators() {
		const step = () => ({ done: false, value: ["X-Atoll-Error", "forged"] });
		getPrototypeOf([][Symbol.iterator]()).next = step;
		getPrototypeOf(new Map()[Symbol.iterator]()).next = step;
		Array.prototype[Symbol.iterator] = () => ({ next: step });
	},
	species() {
		class Own extends Uint8Array {
			constructor() {
				super(1 << 20);
			}
		}
		const TypedArray = getPrototypeOf(Uint8Array);
		define(TypedArray, Symbol.species, { get: () => Own });
		define(Uint8Array.prototype, "constructor", { value: Own });
		define(Array, Symbol.species, { get: () => class extends Array { constructor() { super(); this.push = () => 7; } } });
	},
	proxies: () => Object.setPrototypeOf(Array.prototype, new Proxy(Object.prototype, {
		get: (target, key) => (key === "toJSON" ? () => FORGED_HEAD : target[key]),
		has: () => true,
		set: () => true,
	})),
	stacks() {
		Error.prepareStackTrace = () => ({ toString: () => "200\nnone" });
		define(Error.prototype, "stack", { get: () => ({}) });
		define(Error.prototype, "name", { get: () => new Proxy({}, { get: () => JSON.parse("{") }) });
	},
	builtIns() {
		const replacement = { __proto__: null, configurable: true, value: () => FORGED_HEAD };
		const kinds = [String, Number, Array, RegExp, Map, Uint8Array, ArrayBuffer];
		const { defineProperty } = Object;
		for (let i = 0; i < kinds.length; i++) {
			const keys = ownKeys(kinds[i].prototype);
			for (let j = 0; j < keys.length; j++) {
				try {
					if (keys[j] !== "constructor") defineProperty(kinds[i].prototype, keys[j], replacement);
				} catch {} // It is one that cannot be replaced.
			}
		}
		JSON.stringify = () => "";
		JSON.parse = () => ({ status: 101, socket: 7 });
	},
};

/** Has the prelude say each kind of message that it has, with whatever becomes of that. */
async function sayAll() {
	const tries = [
		() => console.log("x", { a: [1] }),
		() => console.table([{ a: 1 }]),
		() => fetch("http://127.0.0.1:1/", { method: "POST", body: "x", headers: { a: "b" } }),
		() => fetch("http://127.0.0.1:1/", { method: "POST", body: new Response("abc").body.pipeThrough(new TransformStream()), duplex: "half" }),
		() => crypto.subtle.digest({ name: "SHA-256" }, new Uint8Array(100).subarray(10, 20)),
		() => crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]),
		() => caches.default.put("http://a.example/forged", new Response("kept", { headers: { vary: "a" } })),
		() => caches.default.match("http://a.example/forged"),
		() => new Promise((resolve) => setTimeout(resolve, 1)),
		() => reportError(Object.create(null)),
		() => reportError(new Error("x", { cause: { get stack() { throw 1; } } })),
		() => void Promise.reject({ a: 1 }),
	];
	for (let i = 0; i < tries.length; i++) {
		try {
			await tries[i]();
		} catch {}
	}
}

const ENDS = {
	plain: () => new Response("text"),
	text: () => new Response("text", { headers: { "content-length": "4", "x-a": "b" } }),
	stream: () => new Response(new ReadableStream({ start: (c) => { c.enqueue(new Uint8Array(200_000).subarray(1)); c.close(); } })),
	throws: () => { throw new Error("thrown", { cause: "x" }); },
	nothing: () => ({ status: 200 }),
	socket() {
		const pair = new WebSocketPair();
		pair[1].accept();
		pair[1].close(3000.5, "bye");
		return new Response(null, { status: 101, webSocket: pair[0] });
	},
};

export default {
	async fetch(request, env, ctx) {
		const url = new URL(request.url);
		const end = ENDS[url.searchParams.get("end") ?? "text"];
		variants[env.variant ?? "toJsonByReceiver"]();
		ctx.waitUntil(sayAll());
		if (url.searchParams.has("first")) await sayAll();
		return end();
	},
};
