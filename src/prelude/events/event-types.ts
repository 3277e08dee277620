import { asInterface, requireArguments, toDictionary, toUSVString } from "../interface.ts";
import { Event } from "./event.ts";

/** https://dom.spec.whatwg.org/#interface-customevent */
export class CustomEvent extends Event {
	#detail: unknown;
	constructor(type: unknown, init?: unknown) {
		requireArguments(arguments.length, 1, "CustomEvent constructor");
		super(type, init);
		const { detail } = toDictionary(init, "CustomEvent constructor");
		this.#detail = detail === undefined ? null : detail;
	}
	get detail(): unknown {
		return this.#detail;
	}
	initCustomEvent(type: unknown, bubbles: unknown = false, cancelable: unknown = false, detail: unknown = null): void {
		this.initEvent(type, bubbles, cancelable);
		this.#detail = detail;
	}
}
asInterface(CustomEvent, "CustomEvent", { constructor: 1 });

/** https://html.spec.whatwg.org/#errorevent */
export class ErrorEvent extends Event {
	#colno: number;
	#error: unknown;
	#filename: string;
	#lineno: number;
	#message: string;
	constructor(type: unknown, init?: unknown) {
		requireArguments(arguments.length, 1, "ErrorEvent constructor");
		super(type, init);
		const { colno = 0, error, filename = "", lineno = 0, message = "" } = toDictionary(init, "ErrorEvent constructor");
		this.#colno = Number(colno) >>> 0;
		this.#error = error;
		this.#filename = toUSVString(filename);
		this.#lineno = Number(lineno) >>> 0;
		this.#message = `${message as string}`;
	}
	get message(): string {
		return this.#message;
	}
	get filename(): string {
		return this.#filename;
	}
	get lineno(): number {
		return this.#lineno;
	}
	get colno(): number {
		return this.#colno;
	}
	get error(): unknown {
		return this.#error;
	}
}
asInterface(ErrorEvent, "ErrorEvent", { constructor: 1 });

/** https://html.spec.whatwg.org/#promiserejectionevent */
export class PromiseRejectionEvent extends Event {
	#promise: unknown;
	#reason: unknown;
	constructor(type: unknown, init: unknown) {
		requireArguments(arguments.length, 2, "PromiseRejectionEvent constructor");
		super(type, init);
		const dictionary = toDictionary(init, "PromiseRejectionEvent constructor");
		if (dictionary.promise === undefined) throw new TypeError("PromiseRejectionEvent constructor: promise is required");
		this.#promise = dictionary.promise;
		this.#reason = dictionary.reason;
	}
	get promise(): unknown {
		return this.#promise;
	}
	get reason(): unknown {
		return this.#reason;
	}
}
asInterface(PromiseRejectionEvent, "PromiseRejectionEvent", { constructor: 2 });
