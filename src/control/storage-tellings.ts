import type { Telling } from "../bindings/telling.ts";
import type { TenantName } from "../names.ts";
import { type TraceContext, writtenTrace } from "../observe/trace-context.ts";
import type { StoredIn } from "../stores/storage-rule.ts";
import { storageRuleOf } from "../triggers/trigger-settings.ts";
import type { Store } from "./store/store.ts";

/**
 * By what changes are told that are made by the API, at a place in a trace: edges hear of them when they look for messages
 * next.
 */
export async function tellingOf(
	store: Store,
	tenant: TenantName,
	of: StoredIn,
	trace: TraceContext | null,
): Promise<Telling> {
	const functions = await store.list("function", { prefix: `${tenant}/` });
	const rules = functions.flatMap(({ value: { name, storage } }) =>
		storage
			.filter(({ bucket, kv }) => ("bucket" in of ? bucket === of.bucket : kv === of.kv))
			.map((settings) => storageRuleOf(name, settings)),
	);
	return { rules, depth: 0, trace: writtenTrace(trace), told: () => undefined };
}
