import { error, standard } from "../support/standard.ts";

standard("https://streams.spec.whatwg.org/", {
	"#rs-constructor": [
		[
			"3. a byte source takes no strategy with a size",
			`new ReadableStream({ type: "bytes" }, { size: () => 1 })`,
			error("RangeError"),
		],
		["another type is refused", `new ReadableStream({ type: "x" })`, error("TypeError")],
		[
			"a high water mark that is negative or NaN is refused",
			`return [-1, NaN].map((highWaterMark) => { try { new ReadableStream({}, { highWaterMark }); } catch (e) { return e.name; } })`,
			["RangeError", "RangeError"],
		],
		[
			"start is called at once, with the controller, on the source",
			`let seen; const source = { start(c) { seen = [this === source, c instanceof ReadableStreamDefaultController]; } }; new ReadableStream(source); return seen`,
			[true, true],
		],
		[
			"what start throws comes out",
			`new ReadableStream({ start() { throw new RangeError("mine"); } })`,
			error("RangeError"),
		],
		[
			"what start rejects with errors the stream",
			`await new ReadableStream({ start: () => Promise.reject(new RangeError("mine")) }).getReader().read()`,
			error("RangeError"),
		],
		[
			"pull waits for start",
			`const seen = []; let go; const s = new ReadableStream({ start: () => new Promise((r) => { go = r; }), pull(c) { seen.push("pull"); c.close(); } }); await null; seen.push("before"); go(); await s.getReader().closed; return seen`,
			["before", "pull"],
		],
		[
			"pull is called until the high water mark is met",
			`let n = 0; new ReadableStream({ pull(c) { c.enqueue(n++); } }, { highWaterMark: 3 }); for (let i = 0; i < 20; i++) await null; return n`,
			3,
		],
		["members that are no functions are refused", `new ReadableStream({ pull: 1 })`, error("TypeError")],
	],
	"#rs-from": [
		[
			"of a sync iterable",
			`const out = []; for await (const v of ReadableStream.from([1, Promise.resolve(2)])) out.push(v); return out`,
			[1, 2],
		],
		[
			"of an async iterable",
			`const out = []; for await (const v of ReadableStream.from((async function* () { yield 1; yield 2; })())) out.push(v); return out`,
			[1, 2],
		],
		[
			"of a stream",
			`const out = []; for await (const v of ReadableStream.from(ReadableStream.from("ab"))) out.push(v); return out`,
			["a", "b"],
		],
		["what is no iterable is refused", `ReadableStream.from({})`, error("TypeError")],
		[
			"a chunk is asked for only when it is read",
			`let n = 0; const s = ReadableStream.from({ [Symbol.iterator]: () => ({ next: () => ({ value: n++, done: false }) }) }); await null; const before = n; await s.getReader().read(); return [before, n]`,
			[0, 1],
		],
		[
			"cancel calls return with the reason",
			`let seen; const s = ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1, done: false }), return: async (r) => { seen = r; return {}; } }) }); await s.cancel("why"); return seen`,
			"why",
		],
		[
			"what next throws errors the stream",
			`await ReadableStream.from({ [Symbol.iterator]: () => ({ next() { throw new RangeError("mine"); } }) }).getReader().read()`,
			error("RangeError"),
		],
	],
	"#rs-cancel": [
		["a locked stream rejects", `const s = new ReadableStream(); s.getReader(); await s.cancel()`, error("TypeError")],
		[
			"cancel gets the reason, and the queue is dropped",
			`let seen; const s = new ReadableStream({ start(c) { c.enqueue(1); }, cancel(r) { seen = r; } }); await s.cancel("why"); return [seen, (await s.getReader().read()).done]`,
			["why", true],
		],
		[
			"of an errored stream rejects with its error",
			`await new ReadableStream({ start(c) { c.error(new RangeError("mine")); } }).cancel()`,
			error("RangeError"),
		],
		[
			"what cancel throws comes out",
			`await new ReadableStream({ cancel() { throw new RangeError("mine"); } }).cancel()`,
			error("RangeError"),
		],
		[
			"of a closed one resolves",
			`(await new ReadableStream({ start: (c) => c.close() }).cancel()) === undefined`,
			true,
		],
	],
	"#rs-get-reader": [
		[
			"locks",
			`const s = new ReadableStream(); const before = s.locked; s.getReader(); return [before, s.locked]`,
			[false, true],
		],
		[
			"a locked stream gives no other",
			`const s = new ReadableStream(); s.getReader(); s.getReader()`,
			error("TypeError"),
		],
		["byob needs a byte stream", `new ReadableStream().getReader({ mode: "byob" })`, error("TypeError")],
		["another mode is refused", `new ReadableStream().getReader({ mode: "x" })`, error("TypeError")],
	],
	"#default-reader-release-lock": [
		[
			"pending reads reject",
			`const r = new ReadableStream().getReader(); const p = r.read(); r.releaseLock(); await p`,
			error("TypeError"),
		],
		[
			"closed rejects",
			`const r = new ReadableStream().getReader(); r.releaseLock(); await r.closed`,
			error("TypeError"),
		],
		[
			"the stream can be read by another",
			`const s = ReadableStream.from([1, 2]); const r = s.getReader(); await r.read(); r.releaseLock(); return (await s.getReader().read()).value`,
			2,
		],
		[
			"read after release rejects",
			`const r = new ReadableStream().getReader(); r.releaseLock(); await r.read()`,
			error("TypeError"),
		],
	],
	"#rs-default-controller": [
		[
			"desiredSize falls with each chunk",
			`let d = []; new ReadableStream({ start(c) { d.push(c.desiredSize); c.enqueue(1); d.push(c.desiredSize); } }, { highWaterMark: 2 }); return d`,
			[2, 1],
		],
		[
			"desiredSize is 0 once closed, null once errored",
			`let d = []; new ReadableStream({ start(c) { c.close(); d.push(c.desiredSize); } }); new ReadableStream({ start(c) { c.error(1); d.push(c.desiredSize); } }); return d`,
			[0, null],
		],
		["close twice throws", `new ReadableStream({ start(c) { c.close(); c.close(); } })`, error("TypeError")],
		["enqueue after close throws", `new ReadableStream({ start(c) { c.close(); c.enqueue(1); } })`, error("TypeError")],
		[
			"what is queued is read before the end",
			`const s = new ReadableStream({ start(c) { c.enqueue(1); c.close(); } }); const r = s.getReader(); return [await r.read(), (await r.read()).done]`,
			[{ value: 1, done: false }, true],
		],
		[
			"an error drops what is queued",
			`const s = new ReadableStream({ start(c) { c.enqueue(1); c.error(new RangeError("mine")); } }); await s.getReader().read()`,
			error("RangeError"),
		],
		[
			"a size that is no number errors the stream",
			`const s = new ReadableStream({ start(c) { try { c.enqueue(1); } catch {} } }, { size: () => -1 }); await s.getReader().read()`,
			error("RangeError"),
		],
		[
			"a size function that throws errors, and throws",
			`let name; const s = new ReadableStream({ start(c) { try { c.enqueue(1); } catch (e) { name = e.name; } } }, { size() { throw new RangeError("mine"); } }); return name`,
			"RangeError",
		],
	],
	"#rbs-controller": [
		[
			"enqueue takes views that are not empty",
			`return [new Uint8Array(), "a", new ArrayBuffer(1)].map((v) => { let name; new ReadableStream({ type: "bytes", start(c) { try { c.enqueue(v); } catch (e) { name = e.name; } } }); return name; })`,
			Array(3).fill("TypeError"),
		],
		[
			"enqueue transfers the buffer",
			`const v = new Uint8Array([1, 2]); const s = new ReadableStream({ type: "bytes", start(c) { c.enqueue(v); } }); const { value } = await s.getReader().read(); return [v.byteLength, [...value]]`,
			[0, [1, 2]],
		],
		[
			"autoAllocateChunkSize gives default readers a byobRequest",
			`const s = new ReadableStream({ type: "bytes", autoAllocateChunkSize: 4, pull(c) { const { view } = c.byobRequest; view[0] = 7; c.byobRequest.respond(1); } }); return [...(await s.getReader().read()).value]`,
			[7],
		],
		[
			"autoAllocateChunkSize of 0 is refused",
			`new ReadableStream({ type: "bytes", autoAllocateChunkSize: 0 })`,
			error("TypeError"),
		],
		[
			"the high water mark is 0 by default",
			`let d; new ReadableStream({ type: "bytes", start(c) { d = c.desiredSize; } }); return d`,
			0,
		],
	],
	"#byob-reader-read": [
		[
			"fills the view that it is given",
			`const s = new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint8Array([1, 2, 3])); } }); const { value, done } = await s.getReader({ mode: "byob" }).read(new Uint8Array(2)); return [[...value], done]`,
			[[1, 2], false],
		],
		[
			"detaches the buffer",
			`const s = new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint8Array([1])); } }); const v = new Uint8Array(2); await s.getReader({ mode: "byob" }).read(v); return v.byteLength`,
			0,
		],
		[
			"min waits for so many elements",
			`const s = new ReadableStream({ type: "bytes", pull(c) { c.enqueue(new Uint8Array([1])); } }); return [...(await s.getReader({ mode: "byob" }).read(new Uint8Array(5), { min: 3 })).value].length >= 3`,
			true,
		],
		[
			"min of 0, or more than the view holds, is refused",
			`const r = new ReadableStream({ type: "bytes" }).getReader({ mode: "byob" }); const names = []; for (const min of [0, 3]) await r.read(new Uint8Array(2), { min }).catch((e) => names.push(e.name)); return names`,
			["TypeError", "RangeError"],
		],
		[
			"an empty view is refused",
			`await new ReadableStream({ type: "bytes" }).getReader({ mode: "byob" }).read(new Uint8Array())`,
			error("TypeError"),
		],
		[
			"at the end: done, with an empty view of the buffer",
			`const s = new ReadableStream({ type: "bytes", start(c) { c.close(); } }); const { value, done } = await s.getReader({ mode: "byob" }).read(new Uint8Array(3)); return [value.byteLength, value.buffer.byteLength, done]`,
			[0, 3, true],
		],
		[
			"after cancel: done, with undefined",
			`const s = new ReadableStream({ type: "bytes" }); const r = s.getReader({ mode: "byob" }); const p = r.read(new Uint8Array(3)); await r.cancel(); const { value, done } = await p; return [value === undefined, done]`,
			[true, true],
		],
		[
			"views of elements get whole ones",
			`const s = new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint8Array([1, 0, 2])); c.enqueue(new Uint8Array([0])); } }); const { value } = await s.getReader({ mode: "byob" }).read(new Uint16Array(2)); return [value.constructor.name, [...value]]`,
			["Uint16Array", [1, 2]],
		],
	],
	"#rs-byob-request": [
		[
			"respond with more than there is room for throws",
			`let name; const s = new ReadableStream({ type: "bytes", pull(c) { try { c.byobRequest.respond(5); } catch (e) { name = e.name; c.byobRequest.respond(1); } } }); await s.getReader({ mode: "byob" }).read(new Uint8Array(2)); return name`,
			"RangeError",
		],
		[
			"respond with 0 needs a closed stream",
			`let name; const s = new ReadableStream({ type: "bytes", pull(c) { try { c.byobRequest.respond(0); } catch (e) { name = e.name; c.byobRequest.respond(1); } } }); await s.getReader({ mode: "byob" }).read(new Uint8Array(2)); return name`,
			"TypeError",
		],
		[
			"respondWithNewView takes one of the same buffer, transferred",
			`const s = new ReadableStream({ type: "bytes", pull(c) { const { view } = c.byobRequest; view[0] = 9; c.byobRequest.respondWithNewView(new Uint8Array(structuredClone(view.buffer, { transfer: [view.buffer] }), 0, 1)); } }); return [...(await s.getReader({ mode: "byob" }).read(new Uint8Array(2))).value]`,
			[9],
		],
		[
			"it is null once it was used",
			`let seen; const s = new ReadableStream({ type: "bytes", pull(c) { c.byobRequest.respond(1); seen = c.byobRequest; } }); await s.getReader({ mode: "byob" }).read(new Uint8Array(2)); return seen`,
			null,
		],
	],
	"#rs-asynciterator": [
		[
			"leaving the loop cancels",
			`let seen = "no"; for await (const v of new ReadableStream({ start(c) { c.enqueue(1); }, cancel() { seen = "cancelled"; } })) break; return seen`,
			"cancelled",
		],
		[
			"unless preventCancel",
			`let seen = "no"; const s = new ReadableStream({ start(c) { c.enqueue(1); }, cancel() { seen = "cancelled"; } }); for await (const v of s.values({ preventCancel: true })) break; return [seen, s.locked]`,
			["no", false],
		],
		[
			"an error throws",
			`for await (const v of new ReadableStream({ start(c) { c.error(new RangeError("mine")); } }));`,
			error("RangeError"),
		],
		[
			"the iterators' prototype has next and return, and inherits from %AsyncIteratorPrototype%",
			`const prototype = Object.getPrototypeOf(new ReadableStream().values()); const generic = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype)); return [Object.getOwnPropertyNames(prototype).sort().join(), Object.getPrototypeOf(prototype) === generic, Object.prototype.toString.call(prototype), Object.getOwnPropertyDescriptor(prototype, "next").enumerable]`,
			["next,return", true, "[object ReadableStream AsyncIterator]", true],
		],
		[
			"values is Symbol.asyncIterator",
			`ReadableStream.prototype.values === ReadableStream.prototype[Symbol.asyncIterator]`,
			true,
		],
	],
	"#rs-tee": [
		[
			"both branches get every chunk",
			`const [a, b] = ReadableStream.from([1, 2]).tee(); const read = async (s) => { const out = []; for await (const v of s) out.push(v); return out; }; return [await read(a), await read(b)]`,
			[
				[1, 2],
				[1, 2],
			],
		],
		[
			"the source is cancelled when both are, with both reasons",
			`let seen; const s = new ReadableStream({ cancel(r) { seen = r; } }); const [a, b] = s.tee(); const p = a.cancel("a"); await null; const before = seen; await Promise.all([p, b.cancel("b")]); return [before ?? null, seen]`,
			[null, ["a", "b"]],
		],
		[
			"an error reaches both",
			`const [a, b] = new ReadableStream({ start(c) { c.error(new RangeError("mine")); } }).tee(); const names = []; for (const s of [a, b]) await s.getReader().read().catch((e) => names.push(e.name)); return names`,
			["RangeError", "RangeError"],
		],
		[
			"branches of a byte stream are byte streams, each with its own bytes",
			`const [a, b] = new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint8Array([1])); } }).tee(); const x = (await a.getReader({ mode: "byob" }).read(new Uint8Array(1))).value; x[0] = 9; return [...(await b.getReader().read()).value]`,
			[1],
		],
	],
	"#rs-pipe-to": [
		[
			"closes the destination at the end",
			`const out = []; await ReadableStream.from([1, 2]).pipeTo(new WritableStream({ write(v) { out.push(v); }, close() { out.push("close"); } })); return out`,
			[1, 2, "close"],
		],
		[
			"unless preventClose",
			`const w = new WritableStream(); await ReadableStream.from([]).pipeTo(w, { preventClose: true }); return [w.locked, await w.close() === undefined]`,
			[false, true],
		],
		[
			"an error of the source aborts the destination with it",
			`let seen; await new ReadableStream({ start(c) { c.error(new RangeError("mine")); } }).pipeTo(new WritableStream({ abort(r) { seen = r.message; } })).catch((e) => { seen = [seen, e.name]; }); return seen`,
			["mine", "RangeError"],
		],
		[
			"unless preventAbort",
			`let seen = "no"; await new ReadableStream({ start(c) { c.error(1); } }).pipeTo(new WritableStream({ abort() { seen = "abort"; } }), { preventAbort: true }).catch(() => 0); return seen`,
			"no",
		],
		[
			"an error of the destination cancels the source",
			`let seen; await new ReadableStream({ pull(c) { c.enqueue(1); }, cancel(r) { seen = r.message; } }).pipeTo(new WritableStream({ write() { throw new RangeError("mine"); } })).catch((e) => { seen = [seen, e.name]; }); return seen`,
			["mine", "RangeError"],
		],
		[
			"unless preventCancel",
			`let seen = "no"; await new ReadableStream({ pull(c) { c.enqueue(1); }, cancel() { seen = "cancel"; } }).pipeTo(new WritableStream({ write() { throw 1; } }), { preventCancel: true }).catch(() => 0); return seen`,
			"no",
		],
		[
			"a signal aborts both with its reason",
			`const seen = []; const c = new AbortController(); const p = new ReadableStream({ cancel(r) { seen.push(["cancel", r]); } }).pipeTo(new WritableStream({ abort(r) { seen.push(["abort", r]); } }), { signal: c.signal }); c.abort("why"); await p.catch((r) => seen.push(r)); return seen.sort()`,
			[["abort", "why"], ["cancel", "why"], "why"],
		],
		[
			"an aborted signal rejects at once",
			`await new ReadableStream().pipeTo(new WritableStream(), { signal: AbortSignal.abort() })`,
			error("AbortError"),
		],
		[
			"a locked side rejects",
			`const s = new ReadableStream(); s.getReader(); await s.pipeTo(new WritableStream())`,
			error("TypeError"),
		],
		["what is no WritableStream rejects", `await new ReadableStream().pipeTo({})`, error("TypeError")],
		[
			"both are unlocked afterwards",
			`const s = ReadableStream.from([1]); const w = new WritableStream(); await s.pipeTo(w); return [s.locked, w.locked]`,
			[false, false],
		],
	],
	"#rs-pipe-through": [
		[
			"gives the readable side",
			`let s = ""; for await (const v of ReadableStream.from(["a", "b"]).pipeThrough(new TransformStream({ transform(v, c) { c.enqueue(v.toUpperCase()); } }))) s += v; return s`,
			"AB",
		],
		[
			"takes any pair of the two",
			`const t = new TransformStream(); return new ReadableStream().pipeThrough({ readable: t.readable, writable: t.writable }) === t.readable`,
			true,
		],
		[
			"a locked side throws",
			`const t = new TransformStream(); t.writable.getWriter(); new ReadableStream().pipeThrough(t)`,
			error("TypeError"),
		],
	],
	"#ws-constructor": [
		["a type is refused", `new WritableStream({ type: "bytes" })`, error("RangeError")],
		[
			"start is called with the controller",
			`let seen; new WritableStream({ start(c) { seen = c instanceof WritableStreamDefaultController; } }); return seen`,
			true,
		],
		[
			"writes wait for start, and for one another",
			`const seen = []; let go; const w = new WritableStream({ start: () => new Promise((r) => { go = r; }), async write(v) { seen.push("<" + v); await null; seen.push(v + ">"); } }).getWriter(); const p = [w.write(1), w.write(2)]; seen.push("go"); go(); await Promise.all(p); return seen`,
			["go", "<1", "1>", "<2", "2>"],
		],
	],
	"#ws-default-writer": [
		[
			"desiredSize and ready tell of backpressure",
			`let done; const w = new WritableStream({ write: () => new Promise((r) => { done = r; }) }, { highWaterMark: 1 }).getWriter(); await w.ready; const before = w.desiredSize; w.write(1); const after = w.desiredSize; let ready = false; w.ready.then(() => { ready = true; }); await null; await null; const waiting = ready; done(); await w.ready; return [before, after, waiting]`,
			[1, 0, false],
		],
		[
			"an error of write errors the stream",
			`const w = new WritableStream({ write() { throw new RangeError("mine"); } }).getWriter(); await w.write(1).catch(() => 0); await w.write(2)`,
			error("RangeError"),
		],
		[
			"close waits for writes, then closes",
			`const seen = []; const w = new WritableStream({ write(v) { seen.push(v); }, close() { seen.push("close"); } }).getWriter(); w.write(1); await w.close(); return seen`,
			[1, "close"],
		],
		[
			"write after close rejects",
			`const w = new WritableStream().getWriter(); w.close(); await w.write(1)`,
			error("TypeError"),
		],
		[
			"close twice rejects",
			`const w = new WritableStream().getWriter(); w.close(); await w.close()`,
			error("TypeError"),
		],
		[
			"abort rejects what waits with the reason",
			`const w = new WritableStream({ write: () => new Promise(() => 0) }).getWriter(); const p = w.write(1); const q = w.write(2); w.abort(new RangeError("mine")); await q`,
			error("RangeError"),
		],
		[
			"abort signals the controller",
			`let signal; const w = new WritableStream({ start(c) { signal = c.signal; } }).getWriter(); await w.abort("why"); return [signal.aborted, signal.reason]`,
			[true, "why"],
		],
		[
			"closed rejects when the stream errors",
			`const w = new WritableStream({ start(c) { c.error(new RangeError("mine")); } }).getWriter(); await w.closed`,
			error("RangeError"),
		],
		[
			"releaseLock makes it useless",
			`const w = new WritableStream().getWriter(); w.releaseLock(); await w.write(1)`,
			error("TypeError"),
		],
		[
			"a locked stream gives no other writer",
			`const s = new WritableStream(); s.getWriter(); s.getWriter()`,
			error("TypeError"),
		],
	],
	"#ts-constructor": [
		[
			"without a transformer chunks pass",
			`const t = new TransformStream(); const w = t.writable.getWriter(); w.write(1); return (await t.readable.getReader().read()).value`,
			1,
		],
		[
			"readableType and writableType are refused",
			`return ["readableType", "writableType"].map((k) => { try { new TransformStream({ [k]: "bytes" }); } catch (e) { return e.name; } })`,
			["RangeError", "RangeError"],
		],
		[
			"flush runs before the end",
			`let s = ""; for await (const v of ReadableStream.from(["a"]).pipeThrough(new TransformStream({ flush(c) { c.enqueue("!"); } }))) s += v; return s`,
			"a!",
		],
		[
			"what transform throws errors both sides",
			`const t = new TransformStream({ transform() { throw new RangeError("mine"); } }); const w = t.writable.getWriter(); w.write(1).catch(() => 0); w.closed.catch(() => 0); await t.readable.getReader().read()`,
			error("RangeError"),
		],
		[
			"terminate closes the one and errors the other",
			`const t = new TransformStream({ transform(v, c) { c.terminate(); } }); const w = t.writable.getWriter(); w.write(1).catch(() => 0); w.closed.catch(() => 0); const { done } = await t.readable.getReader().read(); let name; await w.write(2).catch((e) => { name = e.name; }); return [done, name]`,
			[true, "TypeError"],
		],
		[
			"cancel of the transformer hears of either side's end",
			`const seen = []; const t = new TransformStream({ cancel(r) { seen.push(r); } }); await t.readable.cancel("why"); return seen`,
			["why"],
		],
		[
			"backpressure: nothing is written ahead of the reader",
			`let n = 0; const t = new TransformStream({ transform(v, c) { n++; c.enqueue(v); } }); const w = t.writable.getWriter(); w.write(1); w.write(2); for (let i = 0; i < 10; i++) await null; return n`,
			0,
		],
	],
	"#qs-api": [
		[
			"CountQueuingStrategy counts",
			`const q = new CountQueuingStrategy({ highWaterMark: 4 }); return [q.highWaterMark, q.size("abc")]`,
			[4, 1],
		],
		[
			"ByteLengthQueuingStrategy asks for the byte length",
			`const q = new ByteLengthQueuingStrategy({ highWaterMark: "8" }); return [q.highWaterMark, q.size(new Uint8Array(3))]`,
			[8, 3],
		],
		["highWaterMark is required", `new CountQueuingStrategy({})`, error("TypeError")],
		[
			"size is one function for all",
			`new CountQueuingStrategy({ highWaterMark: 1 }).size === new CountQueuingStrategy({ highWaterMark: 2 }).size`,
			true,
		],
	],
});

standard("https://compression.spec.whatwg.org/", {
	"#compression-stream": [
		[
			"a format that is not known is refused",
			`return ["br", "", "GZIP"].map((f) => { try { new CompressionStream(f); } catch (e) { return e.name; } })`,
			Array(3).fill("TypeError"),
		],
		[
			"what one packs the other unpacks",
			`const out = []; for (const f of ["gzip", "deflate", "deflate-raw"]) out.push(await new Response(new Response("hello").body.pipeThrough(new CompressionStream(f)).pipeThrough(new DecompressionStream(f))).text()); return out`,
			["hello", "hello", "hello"],
		],
		[
			"a chunk that is no buffer errors it",
			`await new Response(ReadableStream.from(["text"]).pipeThrough(new CompressionStream("gzip"))).text()`,
			error("TypeError"),
		],
		[
			"nothing gives a whole, empty archive",
			`(await new Response(ReadableStream.from([]).pipeThrough(new CompressionStream("gzip"))).bytes()).length > 10`,
			true,
		],
	],
	"#decompression-stream": [
		[
			"data that is none errors it with a TypeError",
			`await new Response(new Response("not gzip at all").body.pipeThrough(new DecompressionStream("gzip"))).text()`,
			error("TypeError"),
		],
		[
			"data that breaks off errors it",
			`const b = await new Response(new Response("hello").body.pipeThrough(new CompressionStream("gzip"))).bytes(); await new Response(new Response(b.slice(0, -4)).body.pipeThrough(new DecompressionStream("gzip"))).text()`,
			error("TypeError"),
		],
		[
			"a checksum that is wrong errors it",
			`const b = await new Response(new Response("hello").body.pipeThrough(new CompressionStream("gzip"))).bytes(); b[b.length - 6] ^= 1; await new Response(new Response(b).body.pipeThrough(new DecompressionStream("gzip"))).text()`,
			error("TypeError"),
		],
		[
			"what follows the end errors it",
			`const b = await new Response(new Response("hello").body.pipeThrough(new CompressionStream("deflate"))).bytes(); await new Response(new Response(new Blob([b, "x"])).body.pipeThrough(new DecompressionStream("deflate"))).text()`,
			error("TypeError"),
		],
		[
			"byte by byte gives the same",
			`const b = await new Response(new Response("hello hello").body.pipeThrough(new CompressionStream("gzip"))).bytes(); return await new Response(ReadableStream.from([...b].map((x) => new Uint8Array([x]))).pipeThrough(new DecompressionStream("gzip"))).text()`,
			"hello hello",
		],
	],
});
