import type { BindingNumber } from "../../link/calls.ts";
import { Call } from "../../prelude/call.ts";
import { concatBytes, copyBytes, encodeUtf8, isBufferSource } from "../../prelude/encoding/bytes.ts";
import { Body } from "../../prelude/fetch/body.ts";
import { asInterface, requireArguments, toDictionary } from "../../prelude/interface.ts";
import { encodeQueueAsked, type QueueAsked } from "./schema.ts";

const SECRET = Symbol("construct");

type ContentType = QueueAsked["messages"][number]["type"];

interface Encoded {
	type: ContentType;
	bytes: Uint8Array;
	delaySeconds: number | null;
}

/** https://developers.cloudflare.com/queues/configuration/javascript-apis/#queue: the sender's side of a queue. */
export class Queue {
	readonly #binding: BindingNumber;

	constructor(secret?: unknown, binding?: BindingNumber) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
	}

	async send(body: unknown, options?: unknown): Promise<undefined> {
		requireArguments(arguments.length, 1, "Queue.send");
		await this.#send([encode(body, toDictionary(options, "Queue.send"), null)], "send");
		return undefined;
	}

	async sendBatch(messages: unknown, options?: unknown): Promise<undefined> {
		requireArguments(arguments.length, 1, "Queue.sendBatch");
		const delay = delayOf(toDictionary(options, "Queue.sendBatch").delaySeconds);
		const all: Encoded[] = [];
		for (const message of messages as Iterable<unknown>) {
			const one = toDictionary(message, "Queue.sendBatch");
			all.push(encode(one.body, one, delay));
		}
		if (all.length === 0) throw new TypeError("sendBatch() requires at least one message");
		await this.#send(all, "sendBatch");
		return undefined;
	}

	async #send(all: Encoded[], what: string): Promise<void> {
		const messages: QueueAsked["messages"] = [];
		const parts: Uint8Array[] = [];
		for (let i = 0; i < all.length; i++) {
			const { type, bytes, delaySeconds } = all[i];
			messages.push({ type, size: bytes.byteLength, delaySeconds });
			parts.push(bytes);
		}
		const argument = encodeQueueAsked({ messages });
		const body = new Body(concatBytes(parts), null);
		const call = new Call(this.#binding, { what: `Queue.${what}()`, argument, body, signal: null });
		await call.answered;
		if (call.failure !== null) throw new Error(`Queue ${what} failed: ${call.failure}`);
	}
}
asInterface(Queue, "Queue", { send: 1, sendBatch: 1 });

function encode(body: unknown, options: Record<string, unknown>, delay: number | null): Encoded {
	const { contentType } = options;
	const type = contentType === undefined ? "json" : `${contentType as string}`;
	const delaySeconds = delayOf(options.delaySeconds) ?? delay;
	if (type === "text") {
		if (typeof body !== "string") throw new TypeError("a message of the content type text must be a string");
		return { type, bytes: encodeUtf8(body), delaySeconds };
	}
	if (type === "bytes") {
		if (!isBufferSource(body))
			throw new TypeError("a message of the content type bytes must be an ArrayBuffer or a view");
		return { type, bytes: copyBytes(body), delaySeconds };
	}
	if (type !== "json") throw new TypeError(`the content type ${type} is not supported: it must be json, text or bytes`);
	const json = JSON.stringify(body) as string | undefined;
	if (json === undefined)
		throw new TypeError("a message of the content type json must be something that JSON can hold");
	return { type, bytes: encodeUtf8(json), delaySeconds };
}

function delayOf(value: unknown): number | null {
	if (value === undefined || value === null) return null;
	const delay = Number(value);
	if (!Number.isSafeInteger(delay)) throw new TypeError("delaySeconds must be a whole number");
	return delay;
}

export const create = (binding: BindingNumber): Queue => new Queue(SECRET, binding);
