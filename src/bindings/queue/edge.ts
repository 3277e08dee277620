import { z } from "zod";
import { queueName } from "../../names.ts";
import {
	type Answer,
	type Caller,
	type Content,
	decodedBy,
	type EdgeBinding,
	type OpenBinding,
	type Prepared,
} from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import { MOST_BATCH, refusal, TenantQueue } from "./tenant-queue.ts";

const settings = z.strictObject({
	/** The queue's name, of its tenant's. */
	queue: queueName,
	/** How long what is sent is held back, unless the sender says it. */
	deliveryDelay: z.number().int().min(0).max(43_200).default(0),
});
type Settings = z.output<typeof settings>;

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
				const messages = decodedBy(asked, argument)?.messages;
				if (messages === undefined) return null;
				const refused = refusal(messages);
				if (refused !== null) return refused;
				return {
					target: `the queue ${queue}`,
					operation: "send",
					perform: async (content, _signal, trace): Promise<Answer> => {
						const { data, storedBytes, onQueued } = this.#services;
						const to = new TenantQueue(data, { tenant, queue }, storedBytes);
						await to.send(messages, await whole(content), { trace, delay: deliveryDelay });
						onQueued(tenant, queue, messages.length);
						return { text: "", content: null };
					},
				};
			},
		};
	}
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

export const create = (services: EdgeServices): EdgeBinding<Settings> => new QueueBinding(services);
