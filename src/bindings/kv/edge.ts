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
import type { KvFound, KvNamespaceId } from "./calls.ts";
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
		/** As of now: rules may change while a request is at work. */
		const opened = ({ op }: Asked, trace: TraceContext) =>
			new Namespace(data, { tenant, namespace: id }, storedBytes, {
				recent: this.#recent,
				...((op === "put" || op === "delete") && { telling: storage.tellingOf(caller, { kv: id }, trace) }),
			});
		const known = (call: Asked) => this.#known({ tenant, namespace: id }, call);
		return {
			prepare(argument): Prepared | null {
				const call = decodedBy(asked, argument);
				if (call === null) return null;
				return {
					target: `KV ${call.op}`,
					operation: call.op,
					known: () => known(call),
					perform: (content, signal, trace) => perform(opened(call, trace), call, { content, signal }),
				};
			},
		};
	}

	/** A value that was read lately. */
	#known(of: KvNamespaceId, call: Asked): KnownAnswer | null {
		if (call.op !== "get" || call.keys.length !== 1) return null;
		const recent = this.#recent.get(of, call.keys[0]);
		return recent === undefined ? null : told([recent?.found ?? null], recent?.value ?? null);
	}
}

/** What a call tells of keys, and the values that there are. */
function told<C extends Content>(found: (KvFound | null)[], content: C): { text: string; content: C } {
	const one: KvTold = found.map((each) => each && { size: each.size, metadata: each.metadata });
	return { text: JSON.stringify(one), content };
}

async function perform(
	namespace: Namespace,
	call: Asked,
	{ content, signal }: { content: Content; signal: AbortSignal },
): Promise<Answer> {
	switch (call.op) {
		case "get": {
			const { found, values } = await namespace.get(call.keys, signal);
			return told(found, values);
		}
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
