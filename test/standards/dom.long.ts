import { error, standard } from "../support/standard.ts";

standard("https://dom.spec.whatwg.org/", {
	"#dom-event-event": [
		[
			"attributes from the dictionary",
			`const e = new Event("x", { bubbles: 1, cancelable: true, composed: true }); return [e.type, e.bubbles, e.cancelable, e.composed]`,
			["x", true, true, true],
		],
		[
			"defaults",
			`const e = new Event("x"); return [e.bubbles, e.cancelable, e.composed, e.defaultPrevented, e.target, e.currentTarget, e.eventPhase, e.isTrusted, e.returnValue, e.cancelBubble]`,
			[false, false, false, false, null, null, 0, false, true, false],
		],
		["the type is required", `new Event()`, error("TypeError")],
		["the type is converted", `[new Event(undefined).type, new Event(null).type]`, ["undefined", "null"]],
		[
			"constants",
			`[Event.NONE, Event.CAPTURING_PHASE, Event.AT_TARGET, Event.BUBBLING_PHASE, new Event("x").AT_TARGET]`,
			[0, 1, 2, 3, 2],
		],
		["timeStamp is a time", `typeof new Event("x").timeStamp`, "number"],
		[
			"isTrusted is an own property that cannot be redefined",
			`const d = Object.getOwnPropertyDescriptor(new Event("x"), "isTrusted"); return [typeof d.get, d.configurable]`,
			["function", false],
		],
	],
	"#dom-event-preventdefault": [
		[
			"does nothing where it is not cancelable",
			`const e = new Event("x"); e.preventDefault(); return e.defaultPrevented`,
			false,
		],
		[
			"sets defaultPrevented, and returnValue says so",
			`const e = new Event("x", { cancelable: true }); e.preventDefault(); return [e.defaultPrevented, e.returnValue]`,
			[true, false],
		],
		[
			"does nothing in a passive listener",
			`const t = new EventTarget(); t.addEventListener("x", (e) => e.preventDefault(), { passive: true }); const e = new Event("x", { cancelable: true }); return [t.dispatchEvent(e), e.defaultPrevented]`,
			[true, false],
		],
		[
			"returnValue = false is the same",
			`const e = new Event("x", { cancelable: true }); e.returnValue = false; return e.defaultPrevented`,
			true,
		],
	],
	"#dom-event-composedpath": [
		["empty while it is not dispatched", `new Event("x").composedPath()`, []],
		[
			"the target while it is",
			`const t = new EventTarget(); let path; t.addEventListener("x", (e) => { path = e.composedPath(); }); const e = new Event("x"); t.dispatchEvent(e); return [path.length, path[0] === t, e.composedPath().length]`,
			[1, true, 0],
		],
	],
	"#dom-event-initevent": [
		[
			"sets type, bubbles and cancelable, and clears what was prevented",
			`const e = new Event("x", { cancelable: true }); e.preventDefault(); e.initEvent("y", true, true); return [e.type, e.bubbles, e.defaultPrevented]`,
			["y", true, false],
		],
	],
	"#dom-customevent-customevent": [
		[
			"detail, null by default",
			`[new CustomEvent("x").detail, new CustomEvent("x", { detail: { a: 1 } }).detail]`,
			[null, { a: 1 }],
		],
		["is an Event", `new CustomEvent("x") instanceof Event`, true],
	],
	"#dom-eventtarget-addeventlistener": [
		[
			"the same listener once",
			`const t = new EventTarget(); let n = 0; const f = () => n++; t.addEventListener("x", f); t.addEventListener("x", f); t.dispatchEvent(new Event("x")); return n`,
			1,
		],
		[
			"capture makes it another one",
			`const t = new EventTarget(); let n = 0; const f = () => n++; t.addEventListener("x", f); t.addEventListener("x", f, true); t.dispatchEvent(new Event("x")); return n`,
			2,
		],
		[
			"a null callback adds nothing",
			`const t = new EventTarget(); t.addEventListener("x", null); return t.dispatchEvent(new Event("x"))`,
			true,
		],
		[
			"a callback that is neither object nor null is refused",
			`new EventTarget().addEventListener("x", 1)`,
			error("TypeError"),
		],
		[
			"an aborted signal adds nothing",
			`const t = new EventTarget(); let n = 0; t.addEventListener("x", () => n++, { signal: AbortSignal.abort() }); t.dispatchEvent(new Event("x")); return n`,
			0,
		],
		[
			"a signal removes it when it is aborted",
			`const t = new EventTarget(); let n = 0; const c = new AbortController(); t.addEventListener("x", () => n++, { signal: c.signal }); t.dispatchEvent(new Event("x")); c.abort(); t.dispatchEvent(new Event("x")); return n`,
			1,
		],
		[
			"a signal of another kind is refused",
			`new EventTarget().addEventListener("x", () => 0, { signal: null })`,
			error("TypeError"),
		],
		[
			"once",
			`const t = new EventTarget(); let n = 0; t.addEventListener("x", () => n++, { once: true }); t.dispatchEvent(new Event("x")); t.dispatchEvent(new Event("x")); return n`,
			1,
		],
	],
	"#dom-eventtarget-removeeventlistener": [
		[
			"by type, callback and capture",
			`const t = new EventTarget(); let n = 0; const f = () => n++; t.addEventListener("x", f, true); t.removeEventListener("x", f); t.dispatchEvent(new Event("x")); t.removeEventListener("x", f, { capture: true }); t.dispatchEvent(new Event("x")); return n`,
			1,
		],
		[
			"one that is removed while the event goes on is not called",
			`const t = new EventTarget(); const seen = []; const b = () => seen.push("b"); t.addEventListener("x", () => { seen.push("a"); t.removeEventListener("x", b); }); t.addEventListener("x", b); t.dispatchEvent(new Event("x")); return seen`,
			["a"],
		],
		[
			"one that is added then is not either",
			`const t = new EventTarget(); let n = 0; t.addEventListener("x", () => { t.addEventListener("x", () => n++); }); t.dispatchEvent(new Event("x")); return n`,
			0,
		],
	],
	"#dom-eventtarget-dispatchevent": [
		[
			"1. an event that is being dispatched is refused",
			`const t = new EventTarget(); let name; t.addEventListener("x", (e) => { try { t.dispatchEvent(e); } catch (x) { name = x.name; } }); t.dispatchEvent(new Event("x")); return name`,
			"InvalidStateError",
		],
		[
			"returns false where it was prevented",
			`const t = new EventTarget(); t.addEventListener("x", (e) => e.preventDefault()); return [t.dispatchEvent(new Event("x", { cancelable: true })), t.dispatchEvent(new Event("x"))]`,
			[false, true],
		],
		["what is no event is refused", `new EventTarget().dispatchEvent({ type: "x" })`, error("TypeError")],
		[
			"target and currentTarget are set, phase is at target",
			`const t = new EventTarget(); let seen; t.addEventListener("x", (e) => { seen = [e.target === t, e.currentTarget === t, e.eventPhase]; }); const e = new Event("x"); t.dispatchEvent(e); return [...seen, e.target === t, e.currentTarget, e.eventPhase]`,
			[true, true, 2, true, null, 0],
		],
		[
			"this is the target, or the object with handleEvent",
			`const t = new EventTarget(); const seen = []; t.addEventListener("x", function () { seen.push(this === t); }); const o = { handleEvent() { seen.push(this === o); } }; t.addEventListener("x", o); t.dispatchEvent(new Event("x")); return seen`,
			[true, true],
		],
		[
			"handleEvent is looked up for each event",
			`const t = new EventTarget(); const o = {}; t.addEventListener("x", o); let n = 0; o.handleEvent = () => n++; t.dispatchEvent(new Event("x")); return n`,
			1,
		],
		[
			"a listener that throws does not stop the others",
			`const t = new EventTarget(); let n = 0; t.addEventListener("x", () => { throw new Error("mine"); }); t.addEventListener("x", () => n++); t.dispatchEvent(new Event("x")); return n`,
			1,
		],
		[
			"stopImmediatePropagation does",
			`const t = new EventTarget(); let n = 0; t.addEventListener("x", (e) => e.stopImmediatePropagation()); t.addEventListener("x", () => n++); t.dispatchEvent(new Event("x")); return n`,
			0,
		],
		[
			"stopPropagation does not, on one target",
			`const t = new EventTarget(); let n = 0; t.addEventListener("x", (e) => e.stopPropagation()); t.addEventListener("x", () => n++); t.dispatchEvent(new Event("x")); return n`,
			1,
		],
	],
	"#dom-abortcontroller-abort": [
		[
			"the reason is an AbortError by default",
			`const c = new AbortController(); c.abort(); return [c.signal.aborted, c.signal.reason.name, c.signal.reason instanceof DOMException, c.signal.reason.code]`,
			[true, "AbortError", true, 20],
		],
		[
			"undefined counts as absent, null does not",
			`const a = new AbortController(); a.abort(undefined); const b = new AbortController(); b.abort(null); return [a.signal.reason.name, b.signal.reason]`,
			["AbortError", null],
		],
		[
			"a second time changes nothing",
			`const c = new AbortController(); let n = 0; c.signal.onabort = () => n++; c.abort(1); c.abort(2); return [c.signal.reason, n]`,
			[1, 1],
		],
		[
			"the event is trusted and does not bubble",
			`const c = new AbortController(); let seen; c.signal.addEventListener("abort", (e) => { seen = [e.type, e.isTrusted, e.bubbles, e.cancelable]; }); c.abort(); return seen`,
			["abort", true, false, false],
		],
		["signal is the same each time", `const c = new AbortController(); return c.signal === c.signal`, true],
	],
	"#abortsignal": [
		["cannot be constructed", `new AbortSignal()`, error("TypeError")],
		["abort() makes an aborted one", `const s = AbortSignal.abort("x"); return [s.aborted, s.reason]`, [true, "x"]],
		[
			"timeout() aborts with a TimeoutError",
			`const s = AbortSignal.timeout(1); await new Promise((r) => s.addEventListener("abort", r)); return [s.reason.name, s.reason.code]`,
			["TimeoutError", 23],
		],
		[
			"timeout() enforces its range",
			`return [-1, Infinity, NaN, 2 ** 53].map((ms) => { try { AbortSignal.timeout(ms); } catch (e) { return e.name; } })`,
			Array(4).fill("TypeError"),
		],
		[
			"throwIfAborted throws the reason",
			`AbortSignal.abort(new RangeError("mine")).throwIfAborted()`,
			error("RangeError"),
		],
		["throwIfAborted does nothing otherwise", `new AbortController().signal.throwIfAborted() === undefined`, true],
	],
	"#dom-abortsignal-any": [
		[
			"of one that is aborted: aborted, with its reason",
			`const s = AbortSignal.any([new AbortController().signal, AbortSignal.abort("r")]); return [s.aborted, s.reason]`,
			[true, "r"],
		],
		["of none: never", `AbortSignal.any([]).aborted`, false],
		[
			"follows the first",
			`const a = new AbortController(), b = new AbortController(); const s = AbortSignal.any([a.signal, b.signal]); b.abort("b"); a.abort("a"); return s.reason`,
			"b",
		],
		[
			"of dependent ones: their sources",
			`const a = new AbortController(); const s = AbortSignal.any([AbortSignal.any([a.signal])]); a.abort("a"); return s.reason`,
			"a",
		],
		[
			"all are marked before any event is fired",
			`const a = new AbortController(); const s = AbortSignal.any([a.signal]); let seen; a.signal.addEventListener("abort", () => { seen = s.aborted; }); a.abort(); return seen`,
			true,
		],
		["members that are no signals are refused", `AbortSignal.any([{}])`, error("TypeError")],
		[
			"takes any iterable",
			`const a = new AbortController(); const s = AbortSignal.any(new Set([a.signal])); a.abort(1); return s.reason`,
			1,
		],
	],
});

standard("https://webidl.spec.whatwg.org/", {
	"#idl-DOMException": [
		[
			"message, name and code",
			`const e = new DOMException("m", "NotFoundError"); return [e.message, e.name, e.code]`,
			["m", "NotFoundError", 8],
		],
		[
			"what exceeds a quota is an interface of its own, and can be cloned",
			`let e; try { crypto.getRandomValues(new Uint8Array(70_000)); } catch (error) { e = structuredClone(error); } const own = structuredClone(new QuotaExceededError("m", { quota: 5, requested: 7 })); return [e instanceof QuotaExceededError, e instanceof DOMException, e.name, e.code, e.quota, own.quota, own.requested, own.message, String(own)]`,
			[true, true, "QuotaExceededError", 22, null, 5, 7, "m", "QuotaExceededError: m"],
		],
		["a quota below zero", `new QuotaExceededError("", { quota: -1 })`, error("RangeError")],
		["less requested than the quota", `new QuotaExceededError("", { quota: 2, requested: 1 })`, error("RangeError")],
		["defaults", `const e = new DOMException(); return [e.message, e.name, e.code]`, ["", "Error", 0]],
		["a name that is not in the table has code 0", `new DOMException("", "EncodingError").code`, 0],
		[
			"is an Error, with a stack",
			`const e = new DOMException("m"); return [e instanceof Error, typeof e.stack, Object.prototype.toString.call(e), String(new DOMException("m", "AbortError"))]`,
			[true, "string", "[object DOMException]", "AbortError: m"],
		],
		["constants on both", `[DOMException.DATA_CLONE_ERR, DOMException.prototype.INDEX_SIZE_ERR]`, [25, 1]],
	],
	"#js-dictionary": [
		[
			"members are read in the order of their names",
			`const seen = []; const init = (names) => Object.defineProperties({}, Object.fromEntries(names.map((n) => [n, { get() { seen.push(n); } }]))); new Event("x", init(["composed", "bubbles", "cancelable"])); return seen`,
			["bubbles", "cancelable", "composed"],
		],
		["a primitive is no dictionary", `new Event("x", 1)`, error("TypeError")],
		["null is an empty one", `new Event("x", null).bubbles`, false],
	],
	"#interface-prototype-object": [
		[
			"operations are enumerable, writable, configurable",
			`const d = Object.getOwnPropertyDescriptor(Headers.prototype, "append"); return [d.enumerable, d.writable, d.configurable, d.value.length, d.value.name]`,
			[true, true, true, 2, "append"],
		],
		[
			"attributes are accessors named after themselves",
			`const d = Object.getOwnPropertyDescriptor(Request.prototype, "url"); return [typeof d.get, d.get.name, d.set, d.enumerable]`,
			["function", "get url", undefined, true].map((v) => v ?? null),
		],
		[
			"an accessor on something else throws",
			`Object.getOwnPropertyDescriptor(Request.prototype, "url").get.call({})`,
			error("TypeError"),
		],
		[
			"the class string",
			`[Headers, Request, Response, Blob, File, FormData, URL, URLSearchParams, AbortSignal, Event, ReadableStream].map((C) => Object.getOwnPropertyDescriptor(C.prototype, Symbol.toStringTag)?.value === C.name)`,
			Array(11).fill(true),
		],
		["prototypes cannot be replaced", `Object.getOwnPropertyDescriptor(Blob, "prototype").writable`, false],
	],
});
