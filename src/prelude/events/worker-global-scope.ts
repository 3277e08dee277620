import { asInterface } from "../interface.ts";
import { EventTarget } from "./event.ts";

/** https://html.spec.whatwg.org/#workerglobalscope, by which libraries tell that there is no page around them. */
export class WorkerGlobalScope extends EventTarget {
	constructor() {
		super();
		throw new TypeError("Illegal constructor");
	}
	static override [Symbol.hasInstance](value: unknown): boolean {
		return value === globalThis;
	}
}
asInterface(WorkerGlobalScope, "WorkerGlobalScope");

/** https://w3c.github.io/ServiceWorker/#serviceworkerglobalscope-interface, as which Workers see themselves. */
export class ServiceWorkerGlobalScope extends WorkerGlobalScope {}
asInterface(ServiceWorkerGlobalScope, "ServiceWorkerGlobalScope");
