import { z } from "zod";
import { namespaceId } from "../../names.ts";
import type { TraceContext } from "../../observe/trace-context.ts";
import {
	type Answer,
	type Caller,
	type Content,
	decodedBy,
	type EdgeBinding,
	type KnownAnswer,
	type OpenBinding,
	type Prepared,
} from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { KvFound } from "./calls.ts";
import { Namespace } from "./namespace.ts";
import { RecentValues } from "./recent-values.ts";
import type { KvKeys, KvTold } from "./schema.ts";

const settings = z.strictObject({
	/** Which namespace of its tenant's; two bindings with the same one share its keys. */
	id: namespaceId,
});
type Settings = z.output<typeof settings>;

/** At most this is asked of a namespace in one call of `get`, and in one of `list`. */
const MOST_KEYS = 100;
const MOST_LISTED = 1000;

const time = z.number().int().nullable();
const asked = z.discriminatedUnion("op", [
	z.strictObject({ op: z.literal("get"), keys: z.array(z.string()).min(1).max(MOST_KEYS) }),
	z.strictObject({
		op: z.literal("put"),
		key: z.string(),
		metadata: z.string().nullable(),
		expiration: time,
		expirationTtl: time,
	}),
	z.strictObject({ op: z.literal("delete"), key: z.string() }),
	z.strictObject({
		op: z.literal("list"),
		prefix: z.string(),
		cursor: z.string(),
		limit: z.number().int().min(1).max(MOST_LISTED),
	}),
]);
type Asked = z.output<typeof asked>;

/** Keys and values that last: https://developers.cloudflare.com/kv/api/ */
class KvBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #services: EdgeServices;
	readonly #recent = new RecentValues();

	constructor(services: EdgeServices) {
		this.#services = services;
	}

	open({ id }: Settings, caller: Caller): OpenBinding {
		const { data, storedBytes, storage } = this.#services;
		const { tenant } = caller.function;
		const recent = this.#recent;
		/** To be changed from a place in a trace, by rules as of now: they may change while a request is at work. */
		const opened = (trace: TraceContext | null = null) =>
			new Namespace(data, { tenant, namespace: id }, storedBytes, {
				recent,
				...(trace !== null && { telling: storage.tellingOf(caller, { kv: id }, trace) }),
			});
		return {
			prepare(argument): Prepared | null {
				const call = decodedBy(asked, argument);
				if (call === null) return null;
				return {
					target: `KV ${call.op}`,
					operation: call.op,
					known: (): KnownAnswer | null => {
						if (call.op !== "get") return null;
						const found = opened().known(call.keys);
						const [key] = call.keys;
						return found && { ...told(found), lend: (forget) => recent.lend({ tenant, namespace: id }, key, forget) };
					},
					perform: (content, signal, trace) => {
						const changes = call.op === "put" || call.op === "delete";
						return perform(opened(changes ? trace : null), call, { content, signal });
					},
				};
			},
		};
	}
}

/** What there is under keys, as it is told. */
function told<C extends Content>({
	found,
	values,
}: {
	found: (KvFound | null)[];
	values: C;
}): {
	text: string;
	content: C;
} {
	const all: KvTold = found.map((one) => one && { size: one.size, metadata: one.metadata });
	return { text: JSON.stringify(all), content: values };
}

async function perform(
	namespace: Namespace,
	call: Asked,
	{ content, signal }: { content: Content; signal: AbortSignal },
): Promise<Answer> {
	switch (call.op) {
		case "get":
			return told(await namespace.get(call.keys, signal));
		case "put":
			await namespace.put(call, content ?? new Uint8Array(0), signal);
			return { text: "", content: null };
		case "delete":
			await namespace.delete([call.key]);
			return { text: "", content: null };
		case "list": {
			const keys: KvKeys = await namespace.list(call);
			return { text: JSON.stringify(keys), content: null };
		}
	}
}

export const create = (services: EdgeServices): EdgeBinding<Settings> => new KvBinding(services);
