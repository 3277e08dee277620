import { Kind } from "../../link/messages.ts";
import { quotaExceeded } from "../errors/quota.ts";
import { reportError } from "../errors/report-error.ts";
import { host } from "../host.ts";
import { requireArguments } from "../interface.ts";
import { current, type IoContext } from "../io-context.ts";

interface Timer {
	context: IoContext | null;
	due: number;
	run: () => void;
}

const timers = new Map<number, Timer>();
/** Timers started at the top level belong to no request: they run at the start of a later turn, once they are due. */
export const globalTimers = new Set<number>();
let nextId = 1;
/** How many timers may be pending for one request, and as many again for the top level. */
let most = 10_000;

export function limitTimers(limit: number): void {
	most = limit;
}

/** Starts a timer that belongs to the running request. Returns its number. */
export function setTimer(callback: () => void, delay: number, repeat: boolean): number {
	if ((current === null ? globalTimers.size : current.pendingTimers) >= most) {
		current?.tooManyTimers();
		throw quotaExceeded(`more than ${most} timers are pending`);
	}
	const id = nextId++;
	const wait = delay >= 1 && delay <= 0x7fffffff ? Math.trunc(delay) : delay > 0x7fffffff ? 0x7fffffff : 0;
	const context = current;
	const timer: Timer = {
		context,
		due: host === undefined ? 0 : host.now() + wait,
		run: () => {
			if (repeat) start(id, timer, Math.max(wait, 1));
			else clearTimer(id);
			try {
				callback();
			} catch (error) {
				reportError(error);
			}
		},
	};
	start(id, timer, wait);
	return id;
}

function start(id: number, timer: Timer, wait: number): void {
	timers.set(id, timer);
	const { context } = timer;
	if (context === null) {
		timer.due = host === undefined ? wait : host.now() + wait;
		globalTimers.add(id);
	} else if (!context.done) {
		context.timers.add(id);
		context.emit(Kind.setTimer, id, "", wait);
	}
}

function clearTimer(id: number): void {
	const timer = timers.get(id);
	if (timer === undefined) return;
	timers.delete(id);
	globalTimers.delete(id);
	const { context } = timer;
	if (context?.timers.delete(id) && !context.done) context.emit(Kind.clearTimer, id);
}

/** Forgets the timers of a request that has ended. */
export function dropTimers(context: IoContext): void {
	for (const id of context.timers) timers.delete(id);
	context.timers.clear();
}

export function runTimer(id: number): void {
	timers.get(id)?.run();
}

export function runGlobalTimers(): void {
	const now = host.now();
	for (const id of [...globalTimers]) {
		const timer = timers.get(id);
		if (timer !== undefined && timer.due <= now) timer.run();
	}
}

/** Handlers are functions only: a string of code, which HTML also takes, is refused as Node and Workers do. */
function bind(handler: unknown, args: unknown[]): () => void {
	if (typeof handler !== "function") throw new TypeError("a timer's handler must be a function");
	return () => Reflect.apply(handler, globalThis, args);
}

/** https://html.spec.whatwg.org/#dom-settimeout */
export function setTimeout(handler: unknown, delay?: unknown, ...args: unknown[]): number {
	requireArguments(arguments.length, 1, "setTimeout");
	return setTimer(bind(handler, args), Number(delay), false);
}

/** https://html.spec.whatwg.org/#dom-setinterval */
export function setInterval(handler: unknown, delay?: unknown, ...args: unknown[]): number {
	requireArguments(arguments.length, 1, "setInterval");
	return setTimer(bind(handler, args), Number(delay), true);
}

/** https://html.spec.whatwg.org/#dom-cleartimeout */
export function clearTimeout(id?: unknown): void {
	clearTimer(Number(id));
}

export function clearInterval(id?: unknown): void {
	clearTimer(Number(id));
}

/** https://html.spec.whatwg.org/#dom-queuemicrotask */
export function queueMicrotask(callback: unknown): void {
	requireArguments(arguments.length, 1, "queueMicrotask");
	if (typeof callback !== "function") throw new TypeError("queueMicrotask: the callback is not a function");
	void (async () => {
		await undefined;
		try {
			callback();
		} catch (error) {
			reportError(error);
		}
	})();
}
