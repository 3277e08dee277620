/**
 * The prelude: the Web's APIs as a function finds them in its isolate. It is bundled into one script, run once, and
 * kept as the base snapshot from which every isolate starts; what reaches the outside is handed in when the isolate
 * is parked.
 */

import { fetch } from "../bindings/fetch/isolate.ts";
import { Cloudflare, compatibilityFlags } from "./cloudflare.ts";
import { console } from "./console/console.ts";
import { Crypto, CryptoKey, crypto, globalOperations, SubtleCrypto } from "./crypto/crypto.ts";
import { atob, btoa } from "./encoding/base64.ts";
import { TextDecoder, TextEncoder } from "./encoding/encoding.ts";
import { DOMException } from "./errors/dom-exception.ts";
import { describeError, noteListener, reportError, setGlobalTarget } from "./errors/report-error.ts";
import { AbortController, AbortSignal } from "./events/abort.ts";
import { Event, EventTarget } from "./events/event.ts";
import { Blob, File } from "./fetch/blob.ts";
import { FormData } from "./fetch/form-data.ts";
import { Headers } from "./fetch/headers.ts";
import { Request } from "./fetch/request.ts";
import { Response } from "./fetch/response.ts";
import { adoptModule, environment, handlerNames, noteHandler, serve, setEnvironment } from "./handlers.ts";
import { type Host, installHost } from "./host.ts";
import { nameFunction } from "./interface.ts";
import { structuredClone } from "./messaging/structured-clone.ts";
import { Navigator, navigator } from "./navigator.ts";
import * as streams from "./streams/streams.ts";
import { bind } from "./stubs.ts";
import { installClock, installIntlClock, installTemporal, refuseSharedMemory } from "./timing/clock.ts";
import {
	Performance,
	PerformanceEntry,
	PerformanceMark,
	PerformanceMeasure,
	performance,
	startClock,
} from "./timing/performance.ts";
import { clearInterval, clearTimeout, limitTimers, queueMicrotask, setInterval, setTimeout } from "./timing/timers.ts";
import { turn } from "./turn.ts";
import { URL } from "./url/url.ts";
import { URLSearchParams } from "./url/url-search-params.ts";
import { installAsyncWebAssembly } from "./web-assembly.ts";
import { takeCollector } from "./young.ts";

const scope = globalThis as unknown as Record<string, unknown>;
const { ...streamInterfaces } = streams;

function expose(values: Record<string, unknown>, enumerable: boolean): void {
	for (const key of Object.keys(values)) {
		const value = values[key];
		if (typeof value === "function") nameFunction(value, key);
		Object.defineProperty(scope, key, { value: values[key], writable: true, enumerable, configurable: true });
	}
}

expose(
	{
		AbortController,
		AbortSignal,
		Blob,
		Cloudflare,
		Crypto,
		CryptoKey,
		DOMException,
		Event,
		EventTarget,
		File,
		FormData,
		Headers,
		Navigator,
		Performance,
		PerformanceEntry,
		PerformanceMark,
		PerformanceMeasure,
		Request,
		Response,
		SubtleCrypto,
		TextDecoder,
		TextEncoder,
		URL,
		URLSearchParams,
		...streamInterfaces,
		console,
		Deno: {
			serve,
			env: { get: (name: unknown) => environment()[`${name as string}`], toObject: () => ({ ...environment() }) },
		},
	},
	false,
);
expose(
	{
		atob,
		btoa,
		clearInterval,
		clearTimeout,
		crypto,
		fetch,
		navigator,
		performance,
		queueMicrotask,
		reportError,
		self: scope,
		setInterval,
		setTimeout,
		structuredClone,
	},
	true,
);

/**
 * Globals whose module is loaded when one of them is first touched: they cost the functions that have no use for them
 * nothing.
 */
function lazily(names: string[], load: () => unknown): void {
	const define = (name: string, value: unknown, enumerable: boolean) =>
		Object.defineProperty(scope, name, { value, writable: true, enumerable, configurable: true });
	for (const name of names) {
		const enumerable = /^[a-z]/.test(name);
		Object.defineProperty(scope, name, {
			get() {
				const exports = load() as Record<string, unknown>;
				for (const one of names)
					if (Object.getOwnPropertyDescriptor(scope, one)?.get !== undefined) define(one, exports[one], enumerable);
				return exports[name];
			},
			set: (value) => define(name, value, enumerable),
			enumerable,
			configurable: true,
		});
	}
}

lazily(["CompressionStream", "DecompressionStream"], () => require("./streams/compression.ts"));
lazily(["FixedLengthStream", "IdentityTransformStream"], () => require("./streams/identity-stream.ts"));
lazily(["CustomEvent", "ErrorEvent", "PromiseRejectionEvent"], () => require("./events/event-types.ts"));
lazily(["ExtendableEvent", "FetchEvent", "QueueEvent", "ScheduledEvent"], () =>
	require("./events/extendable-event.ts"),
);
lazily(["ServiceWorkerGlobalScope", "WorkerGlobalScope"], () => require("./events/worker-global-scope.ts"));
lazily(["TextDecoderStream", "TextEncoderStream"], () => require("./streams/encoding-streams.ts"));
lazily(["URLPattern"], () => require("./url/url-pattern.ts"));
lazily(["MessageChannel", "MessageEvent", "MessagePort"], () => require("./messaging/message-channel.ts"));
lazily(["EventSource"], () => require("./messaging/event-source.ts"));
lazily(["CloseEvent", "WebSocket", "WebSocketPair"], () => require("./messaging/web-socket.ts"));
lazily(["Cache", "CacheStorage", "caches"], () => require("../bindings/caches/isolate.ts"));
lazily(["QuotaExceededError"], () => require("./errors/quota-exceeded-error.ts"));
lazily(["Scheduler", "scheduler"], () => require("./timing/scheduler.ts"));

// Not by a name: only what stands in for the module of that name (`compat/workers.ts`) asks for it.
Object.defineProperty(scope, Symbol.for("atoll.workers"), {
	get: () => require("./entrypoints/workers.ts"),
	configurable: true,
});

Object.defineProperty(Crypto.prototype, "DigestStream", {
	get: () => (require("./crypto/digest-stream.ts") as typeof import("./crypto/digest-stream.ts")).DigestStream,
	enumerable: true,
	configurable: true,
});

// The global scope is an EventTarget whose methods also work when called bare, as in `addEventListener("fetch", …)`.
const target = new EventTarget();
expose(
	{
		addEventListener(type: unknown, callback: unknown, options?: unknown) {
			noteHandler(type);
			noteListener(type);
			target.addEventListener(type, callback, options);
		},
		removeEventListener: (type: unknown, callback: unknown, options?: unknown) =>
			target.removeEventListener(type, callback, options),
		dispatchEvent: (event: unknown) => target.dispatchEvent(event),
	},
	true,
);
setGlobalTarget(target);
// The polyfill's own, of an earlier standard.
Reflect.deleteProperty(streams.WritableStreamDefaultController.prototype, "abortReason");
for (const operation of [fetch, setTimeout, setInterval, structuredClone])
	Object.defineProperty(operation, "length", { value: 1, configurable: true });
installClock();

/** What the sandbox takes hold of when it parks an isolate, and then removes from the global scope. */
const bridge = {
	/** Lends the isolate the sandbox's functions. */
	install(names: string, ...functions: unknown[]) {
		const host: Record<string, unknown> = {};
		names.split(",").forEach((name, i) => {
			host[name] = functions[i];
		});
		installHost(host as unknown as Host);
		startClock();
		// Shared memory would be a clock as fine as a Spectre attack needs, and a way to stop a thread. V8 defines it
		// anew in every isolate that it makes from a snapshot, so it is taken away here.
		for (const name of ["SharedArrayBuffer", "Atomics"]) Reflect.deleteProperty(scope, name);
		refuseSharedMemory();
		takeCollector();
		installIntlClock();
		installAsyncWebAssembly();
	},
	/**
	 * Readies the isolate for a function's script: its environment and bindings, its limits, and the hook that takes
	 * its exports.
	 * `temporal` says whether the script names it.
	 */
	begin(env: string, bindings: string, flags: string, timers: number, temporal: boolean) {
		installTemporal(temporal);
		limitTimers(timers);
		if (flags !== "") for (const flag of flags.split(",")) compatibilityFlags[flag] = true;
		const values = JSON.parse(env) as Record<string, unknown>;
		bind(values, JSON.parse(bindings) as Parameters<typeof bind>[1]);
		setEnvironment(values);
		Object.defineProperty(scope, "__atoll_exports", { configurable: true, value: takeExports });
		// A top level that awaits runs inside of an async function; what it throws has to be told.
		Object.defineProperty(scope, "__atoll_failed", {
			configurable: true,
			value: (error: unknown) => {
				failure = `its top level failed: ${describeError(error).stack}`;
			},
		});
	},
	/**
	 * The names of the handlers that the function's script gave, and in a line after them why it gave none; `null`
	 * while it awaits operations that it has begun.
	 */
	finish: () => {
		if (failure === UNFINISHED && globalOperations.size > 0) return null;
		return failure === null ? handlerNames() : `\n${failure}`;
	},
	turn,
};
/** Takes the function's exports; until then it also lends what modules of a platform are bundled over. */
const takeExports = Object.assign(
	(exports: Record<string, unknown>) => {
		Reflect.deleteProperty(scope, "__atoll_exports");
		Reflect.deleteProperty(scope, "__atoll_failed");
		failure = adoptModule(exports, target);
	},
	{ sockets: () => require("../bindings/sockets/isolate.ts") as unknown },
);
const UNFINISHED = "its script did not run to the end, or awaits something that only a request can wait for";
let failure: string | null = UNFINISHED;
Object.defineProperty(scope, "__atoll_bridge", { configurable: true, value: bridge });
