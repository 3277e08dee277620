import { DOMException } from "../errors/dom-exception.ts";
import { asInterface, requireArguments, toDictionary } from "../interface.ts";
import type { AbortSignal } from "./abort.ts";

type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

interface Registration {
	type: string;
	callback: Listener;
	capture: boolean;
	once: boolean;
	passive: boolean;
	removed: boolean;
}

/** How an exception in a listener is reported; set by `report-error.ts`, which stands above this file. */
let reportException: (error: unknown) => void = () => undefined;
export function setExceptionReporter(report: (error: unknown) => void): void {
	reportException = report;
}

/** Calls listeners; `report` is given what they throw. */
let dispatchOn: (
	event: Event,
	target: EventTarget,
	listeners: Registration[],
	report: (error: unknown) => void,
) => boolean;
let trust: (event: Event) => void;
let listenersOf: (target: EventTarget) => Registration[];
let isTrusted: (this: Event) => boolean;

/** https://dom.spec.whatwg.org/#interface-event */
export class Event {
	static readonly NONE = 0;
	static readonly CAPTURING_PHASE = 1;
	static readonly AT_TARGET = 2;
	static readonly BUBBLING_PHASE = 3;

	#type: string;
	#bubbles: boolean;
	#cancelable: boolean;
	#composed: boolean;
	#target: EventTarget | null = null;
	#currentTarget: EventTarget | null = null;
	#phase = 0;
	#stopped = false;
	#stoppedNow = false;
	#canceled = false;
	#passive = false;
	#dispatching = false;
	#trusted = false;
	#timeStamp = performanceNow();

	constructor(type: unknown, init?: unknown) {
		requireArguments(arguments.length, 1, "Event constructor");
		this.#type = `${type as string}`;
		// [LegacyUnforgeable]: each event's own, and not to be redefined.
		Object.defineProperty(this, "isTrusted", { get: isTrusted, enumerable: true });
		const dictionary = toDictionary(init, "Event constructor");
		this.#bubbles = Boolean(dictionary.bubbles);
		this.#cancelable = Boolean(dictionary.cancelable);
		this.#composed = Boolean(dictionary.composed);
	}

	get type(): string {
		return this.#type;
	}
	get target(): EventTarget | null {
		return this.#target;
	}
	get srcElement(): EventTarget | null {
		return this.#target;
	}
	get currentTarget(): EventTarget | null {
		return this.#currentTarget;
	}
	composedPath(): EventTarget[] {
		return this.#currentTarget === null ? [] : [this.#currentTarget];
	}
	get eventPhase(): number {
		return this.#phase;
	}
	stopPropagation(): void {
		this.#stopped = true;
	}
	get cancelBubble(): boolean {
		return this.#stopped;
	}
	set cancelBubble(value: unknown) {
		if (value) this.#stopped = true;
	}
	stopImmediatePropagation(): void {
		this.#stopped = true;
		this.#stoppedNow = true;
	}
	get bubbles(): boolean {
		return this.#bubbles;
	}
	get cancelable(): boolean {
		return this.#cancelable;
	}
	get returnValue(): boolean {
		return !this.#canceled;
	}
	set returnValue(value: unknown) {
		if (!value) this.preventDefault();
	}
	preventDefault(): void {
		if (this.#cancelable && !this.#passive) this.#canceled = true;
	}
	get defaultPrevented(): boolean {
		return this.#canceled;
	}
	get composed(): boolean {
		return this.#composed;
	}
	declare readonly isTrusted: boolean;
	get timeStamp(): number {
		return this.#timeStamp;
	}
	initEvent(type: unknown, bubbles: unknown = false, cancelable: unknown = false): void {
		if (this.#dispatching) return;
		this.#type = `${type as string}`;
		this.#bubbles = Boolean(bubbles);
		this.#cancelable = Boolean(cancelable);
		this.#stopped = this.#stoppedNow = this.#canceled = false;
	}

	static {
		isTrusted = Object.getOwnPropertyDescriptor(
			{
				get isTrusted(): boolean {
					return (this as unknown as Event).#trusted;
				},
			},
			"isTrusted",
		)?.get as (this: Event) => boolean;
		trust = (event) => {
			event.#trusted = true;
		};
		// https://dom.spec.whatwg.org/#concept-event-dispatch, for targets that have no parents
		dispatchOn = (event, target, listeners, report) => {
			if (event.#dispatching) throw new DOMException("The event is already being dispatched.", "InvalidStateError");
			event.#dispatching = true;
			event.#target = target;
			event.#currentTarget = target;
			event.#phase = Event.AT_TARGET;
			for (const registration of listeners.slice()) {
				if (registration.removed || registration.type !== event.#type) continue;
				if (event.#stoppedNow) break;
				if (registration.once) {
					registration.removed = true;
					const index = listeners.indexOf(registration);
					if (index >= 0) listeners.splice(index, 1);
				}
				event.#passive = registration.passive;
				try {
					const { callback } = registration;
					if (typeof callback === "function") callback.call(target, event);
					else callback.handleEvent(event);
				} catch (error) {
					report(error);
				}
				event.#passive = false;
			}
			event.#dispatching = false;
			event.#currentTarget = null;
			event.#phase = Event.NONE;
			event.#stopped = event.#stoppedNow = false;
			return !event.#canceled;
		};
	}
}
asInterface(Event, "Event", { constructor: 1 });
for (const [name, value] of [
	["NONE", 0],
	["CAPTURING_PHASE", 1],
	["AT_TARGET", 2],
	["BUBBLING_PHASE", 3],
] as const) {
	Object.defineProperty(Event, name, { value, enumerable: true, writable: false, configurable: false });
	Object.defineProperty(Event.prototype, name, { value, enumerable: true });
}

function performanceNow(): number {
	const performance = (globalThis as { performance?: { now(): number } }).performance;
	return performance === undefined ? 0 : performance.now();
}

/**
 * Dispatches an event that the runtime itself makes, with `isTrusted` true. What listeners throw is reported, unless
 * somebody else is to be told.
 */
export function dispatchTrusted(target: EventTarget, event: Event, report = reportException): boolean {
	trust(event);
	return dispatchOn(event, target, listenersOf(target), report);
}

/** https://dom.spec.whatwg.org/#interface-eventtarget */
export class EventTarget {
	#listeners: Registration[] = [];

	addEventListener(type: unknown, callback: unknown, options?: unknown): void {
		requireArguments(arguments.length, 2, "EventTarget.addEventListener");
		if (callback !== null && callback !== undefined && typeof callback !== "object" && typeof callback !== "function") {
			throw new TypeError("EventTarget.addEventListener: the listener is not an object");
		}
		const flags = listenerOptions(options);
		const { signal } = flags;
		if (signal !== undefined && (signal === null || typeof (signal as AbortSignal).aborted !== "boolean")) {
			throw new TypeError("EventTarget.addEventListener: signal is not an AbortSignal");
		}
		if ((signal as AbortSignal | undefined)?.aborted || callback === null || callback === undefined) return;
		const name = `${type as string}`;
		const target = this ?? (globalThis as unknown as EventTarget);
		const listeners = target.#listeners;
		if (listeners.some((one) => one.type === name && one.callback === callback && one.capture === flags.capture))
			return;
		listeners.push({ type: name, callback: callback as Listener, ...flags, removed: false });
		(signal as AbortSignal | undefined)?.addEventListener("abort", () =>
			target.removeEventListener(name, callback, flags.capture),
		);
	}

	removeEventListener(type: unknown, callback: unknown, options?: unknown): void {
		requireArguments(arguments.length, 2, "EventTarget.removeEventListener");
		const name = `${type as string}`;
		const capture = listenerOptions(options).capture;
		const index = this.#listeners.findIndex(
			(one) => one.type === name && one.callback === callback && one.capture === capture,
		);
		if (index >= 0) {
			this.#listeners[index].removed = true;
			this.#listeners.splice(index, 1);
		}
	}

	dispatchEvent(event: unknown): boolean {
		requireArguments(arguments.length, 1, "EventTarget.dispatchEvent");
		if (!(event instanceof Event)) throw new TypeError("EventTarget.dispatchEvent: not an Event");
		return dispatchOn(event, this, this.#listeners, reportException);
	}

	static {
		listenersOf = (target) => target.#listeners;
	}
}
asInterface(EventTarget, "EventTarget", { addEventListener: 2, removeEventListener: 2 });

function listenerOptions(options: unknown) {
	if (typeof options !== "object" || options === null) {
		return { capture: Boolean(options), once: false, passive: false, signal: undefined as unknown };
	}
	const { capture, once, passive, signal } = options as Record<string, unknown>;
	return { capture: Boolean(capture), once: Boolean(once), passive: Boolean(passive), signal };
}
