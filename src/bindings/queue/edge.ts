import { z } from "zod";
import { queueName } from "../../names.ts";
import type { DataProcess } from "../../stores/data-process.ts";

import type { Bytes, Seconds } from "../../units.ts";
import type { Answer, Caller, Content, EdgeBinding, OpenBinding, Prepared } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { QueueSend } from "./calls.ts";

const settings = z.strictObject({
	/** The queue's name, of its tenant's. */
	queue: queueName,
	/** How long what is sent is held back, unless the sender says it. */
	deliveryDelay: z.number().int().min(0).max(43_200).default(0),
});
type Settings = z.output<typeof settings>;

/** https://developers.cloudflare.com/queues/platform/limits/ */
const MOST_MESSAGES = 100;
const MOST_MESSAGE: Bytes = 128_000;
const MOST_BATCH: Bytes = 256_000;
const LONGEST_DELAY: Seconds = 43_200;

const asked = z.strictObject({
	messages: z
		.array(
			z.strictObject({
				type: z.enum(["json", "text", "bytes"]),
				size: z.number().int().min(0),
				delaySeconds: z.number().int().nullable(),
			}),
		)
		.min(1),
});
type Messages = z.output<typeof asked>["messages"];

/** Messages to be worked on later: https://developers.cloudflare.com/queues/configuration/javascript-apis/#queue */
class QueueBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #services: Pick<EdgeServices, "data" | "storedBytes" | "onQueued">;

	constructor(services: EdgeServices) {
		this.#services = services;
	}

	open({ queue, deliveryDelay }: Settings, { function: { tenant } }: Caller): OpenBinding {
		return {
			prepare: (argument): Prepared | string | null => {
				const messages = decode(argument);
				if (messages === null) return null;
				const refused = refusal(messages);
				if (refused !== null) return refused;
				return {
					target: `the queue ${queue}`,
					perform: async (content): Promise<Answer> => {
						const { data, storedBytes, onQueued } = this.#services;
						const send: QueueSend = {
							...{ tenant, queue, mostBytes: storedBytes },
							messages: messages.map(({ type, size, delaySeconds }) => ({
								...{ type, size },
								delayMs: (delaySeconds ?? deliveryDelay) * 1000,
							})),
						};
						await sendAll(data, send, content);
						onQueued(tenant, queue);
						return { text: "", content: null };
					},
				};
			},
		};
	}
}

async function sendAll(data: DataProcess, send: QueueSend, content: Content): Promise<void> {
	const bytes = await whole(content);
	const size = send.messages.reduce((sum, message) => sum + message.size, 0);
	if (bytes.byteLength !== size) throw new Error("400 the messages are not whole");
	await data.ask(send.tenant, { store: "queue", operation: "send", said: send, bytes });
}

/** A batch, which is no larger than it may be. */
async function whole(content: Content): Promise<Uint8Array> {
	if (content instanceof Uint8Array) return content;
	const parts: Uint8Array[] = [];
	let bytes = 0;
	for await (const part of content ?? []) {
		bytes += part.byteLength;
		if (bytes > MOST_BATCH) throw new Error(`413 batch message size limit of ${MOST_BATCH} bytes exceeded`);
		parts.push(part);
	}
	return Buffer.concat(parts);
}

/** `null` for what the isolate's side never sends. */
function decode(argument: string): Messages | null {
	try {
		return asked.safeParse(JSON.parse(argument)).data?.messages ?? null;
	} catch {
		return null;
	}
}

function refusal(messages: Messages): string | null {
	if (messages.length > MOST_MESSAGES)
		return `413 a batch has up to ${MOST_MESSAGES} messages, and not ${messages.length}`;
	let bytes = 0;
	for (const { size, delaySeconds } of messages) {
		if (size > MOST_MESSAGE) return `413 message length of ${size} bytes exceeds limit of ${MOST_MESSAGE}`;
		if (delaySeconds !== null && (delaySeconds < 0 || delaySeconds > LONGEST_DELAY))
			return `400 delaySeconds must be a whole number from 0 to ${LONGEST_DELAY}`;
		bytes += size;
	}
	return bytes > MOST_BATCH ? `413 batch message size limit of ${MOST_BATCH} bytes exceeded` : null;
}

export const create = (services: EdgeServices): EdgeBinding<Settings> => new QueueBinding(services);
