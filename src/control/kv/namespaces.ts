import { randomBytes } from "node:crypto";
import { Namespace } from "../../bindings/kv/namespace.ts";
import { NOTHING_TOLD } from "../../bindings/telling.ts";
import type { TenantName } from "../../names.ts";
import type { TraceContext } from "../../observe/trace-context.ts";
import type { StoredData } from "../../stores/data-process.ts";
import type { TriggersPatch } from "../../triggers/trigger-settings.ts";
import type { Bytes } from "../../units.ts";
import { ControlError } from "../control-error.ts";
import { tellingOf } from "../storage-tellings.ts";
import type { Scope } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { type StoreKind, TitledStores } from "../titled-stores.ts";

const KIND: StoreKind = {
	documents: { one: "kvNamespace", title: "kvTitle", removed: "kvRemoved" },
	action: "kv",
	binding: { type: "kv", setting: "id" },
	most: 1000,
	newId: () => randomBytes(16).toString("hex"),
	what: "KV namespace",
	missing: (tenant, id) =>
		new ControlError(
			"namespace_not_found",
			`namespace not found: the tenant ${tenant} has no KV namespace ${JSON.stringify(id)}`,
		),
	taken: (title) =>
		new ControlError("title_taken", `a namespace with this account ID and title already exists: ${title}`),
	inUse: (functions) =>
		new ControlError(
			"namespace_in_use",
			`namespace has associated scripts: ${functions.join(", ")}; deploy them without it, or delete them first`,
		),
	unknown: (id) =>
		new ControlError(
			"unknown_namespace",
			`KV namespace '${id}' not found: make one (wrangler kv namespace create) and bind its id, or bind none and let wrangler make it`,
		),
};

/** What namespaces are kept by. */
export interface KvNamespacesParts {
	store: Store;
	data: StoredData;
	/** How much a tenant may store. */
	storedBytes: Bytes;
}

/** The KV namespaces that tenants have, by their ids and their titles. What is in them is kept by a data process. */
export type KvNamespaces = TitledStores<Namespace>;

export function tenantNamespaces({ store, data, storedBytes }: KvNamespacesParts): KvNamespaces {
	const open = async (tenant: TenantName, namespace: string, scope: Scope, trace: TraceContext | null) => {
		const telling = scope === "read" ? NOTHING_TOLD : await tellingOf(store, tenant, { kv: namespace }, trace);
		return new Namespace(data, { tenant, namespace }, storedBytes, { telling });
	};
	return new TitledStores({ store, kind: KIND, open });
}

/** The same triggers with ids of namespaces in place of titles. */
export async function resolveTriggers<Given extends TriggersPatch>(
	namespaces: KvNamespaces,
	tenant: TenantName,
	triggers: Given,
): Promise<Given> {
	if (triggers.storage === undefined) return triggers;
	const storage = [];
	for (const rule of triggers.storage) {
		const id = rule.kv === undefined ? undefined : await namespaces.idOf(tenant, rule.kv);
		storage.push({ ...rule, ...(id !== undefined && { kv: id }) });
	}
	return { ...triggers, storage };
}
