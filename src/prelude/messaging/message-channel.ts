import { DOMException } from "../errors/dom-exception.ts";
import { dispatchTrusted, Event, EventTarget } from "../events/event.ts";
import { defineEventHandler } from "../events/event-handler.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../interface.ts";
import { setTimer } from "../timing/timers.ts";
import { cloneAndTransfer, defineTransferable, transferList } from "./structured-clone.ts";

/** https://html.spec.whatwg.org/#messageevent */
export class MessageEvent extends Event {
	readonly #data: unknown;
	readonly #origin: string;
	readonly #lastEventId: string;
	readonly #source: unknown;
	readonly #ports: readonly MessagePort[];

	constructor(type: unknown, init?: unknown) {
		requireArguments(arguments.length, 1, "MessageEvent constructor");
		super(type, init);
		const {
			data = null,
			origin = "",
			lastEventId = "",
			source = null,
			ports = [],
		} = toDictionary(init, "MessageEvent constructor");
		if (source !== null && !(source instanceof MessagePort))
			throw new TypeError("MessageEvent constructor: source is not a MessagePort");
		this.#data = data;
		this.#origin = toUSVString(origin);
		this.#lastEventId = `${lastEventId as string}`;
		this.#source = source;
		this.#ports = Object.freeze([...(ports as Iterable<MessagePort>)]);
	}
	get data(): unknown {
		return this.#data;
	}
	get origin(): string {
		return this.#origin;
	}
	get lastEventId(): string {
		return this.#lastEventId;
	}
	get source(): unknown {
		return this.#source;
	}
	get ports(): readonly MessagePort[] {
		return this.#ports;
	}
}
asInterface(MessageEvent, "MessageEvent", { constructor: 1 });

const SECRET = Symbol("construct");
let moved: (port: MessagePort) => MessagePort;
let entangle: (one: MessagePort, other: MessagePort) => void;

/** https://html.spec.whatwg.org/#message-ports: both ends are in one isolate. */
export class MessagePort extends EventTarget {
	#other: MessagePort | null = null;
	#queue: { data: unknown; ports: MessagePort[] }[] = [];
	#started = false;
	#scheduled = false;
	#detached = false;

	constructor(secret?: unknown) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		super();
	}

	postMessage(message: unknown, options?: unknown): void {
		requireArguments(arguments.length, 1, "MessagePort.postMessage");
		const isList = typeof options === "object" && options !== null && Symbol.iterator in options;
		const transfer = isList ? [...(options as Iterable<unknown>)] : transferList(options, "MessagePort.postMessage");
		if (transfer.includes(this)) throw new DOMException("a port cannot be sent through itself", "DataCloneError");
		const { clone: data, moved: successors } = cloneAndTransfer(message, transfer);
		if (this.#other === null || this.#other.#detached) return;
		this.#other.#queue.push({ data, ports: successors.filter((value) => value instanceof MessagePort) });
		this.#other.#schedule();
	}

	start(): void {
		this.#started = true;
		this.#schedule();
	}

	close(): void {
		const other = this.#other;
		this.#detached = true;
		this.#other = null;
		if (other === null || other.#other === null) return;
		other.#other = null;
		setTimer(() => dispatchTrusted(other, new Event("close")), 0, false);
	}

	/** Each message is a task of its own: https://html.spec.whatwg.org/#port-message-queue */
	#schedule(): void {
		if (!this.#started || this.#scheduled || this.#queue.length === 0) return;
		this.#scheduled = true;
		setTimer(
			() => {
				this.#scheduled = false;
				if (this.#detached || this.#queue.length === 0) return;
				const message = this.#queue.shift();
				this.#schedule();
				dispatchTrusted(this, new MessageEvent("message", message));
			},
			0,
			false,
		);
	}

	static {
		entangle = (one, other) => {
			one.#other = other;
			other.#other = one;
		};
		moved = (port) => {
			const successor = new MessagePort(SECRET);
			successor.#queue = port.#queue;
			successor.#other = port.#other;
			if (port.#other !== null) port.#other.#other = successor;
			port.#queue = [];
			port.#other = null;
			port.#detached = true;
			return successor;
		};
	}
}
asInterface(MessagePort, "MessagePort", { constructor: 0, postMessage: 1 });
defineTransferable(
	(value) => value instanceof MessagePort,
	(port: MessagePort) => moved(port),
);
defineEventHandler(MessagePort.prototype, "message");
defineEventHandler(MessagePort.prototype, "messageerror");
defineEventHandler(MessagePort.prototype, "close");
// Setting `onmessage` also starts the port.
const onmessage = Object.getOwnPropertyDescriptor(MessagePort.prototype, "onmessage") as PropertyDescriptor;
Object.defineProperty(MessagePort.prototype, "onmessage", {
	...onmessage,
	set(this: MessagePort, value: unknown) {
		onmessage.set?.call(this, value);
		this.start();
	},
});

/** https://html.spec.whatwg.org/#message-channels */
export class MessageChannel {
	readonly #one = new MessagePort(SECRET);
	readonly #other = new MessagePort(SECRET);

	constructor() {
		entangle(this.#one, this.#other);
	}
	get port1(): MessagePort {
		return this.#one;
	}
	get port2(): MessagePort {
		return this.#other;
	}
}
asInterface(MessageChannel, "MessageChannel");
