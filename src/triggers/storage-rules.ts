import { type FunctionId, keyOf, type TenantName } from "../names.ts";
import type { StorageRule, StoredIn } from "../stores/storage-rule.ts";
import { type StorageSettings, storageRuleOf } from "./trigger-settings.ts";

/** Each change of a bucket or namespace carries its rules to the data process: no more than so many. */
const MOST_RULES = 100;

/** What functions want to be told of, by the buckets and namespaces that it is about. */
export class StorageRules {
	/** By tenant, kind and name; and by the functions' keys. */
	readonly #rules = new Map<string, Map<string, StorageRule[]>>();
	readonly #notice: (of: FunctionId, message: string) => void;

	constructor(notice: (of: FunctionId, message: string) => void) {
		this.#notice = notice;
	}

	/** A function has these from now on. */
	set(of: FunctionId, all: readonly StorageSettings[]): void {
		const key = keyOf(of);
		for (const [source, functions] of this.#rules) {
			functions.delete(key);
			if (functions.size === 0) this.#rules.delete(source);
		}
		for (const settings of all) {
			const { bucket, kv = "" } = settings;
			const source = sourceKey(of.tenant, bucket === undefined ? { kv } : { bucket });
			const functions = this.#rules.get(source) ?? new Map<string, StorageRule[]>();
			this.#rules.set(source, functions);
			functions.set(key, [...(functions.get(key) ?? []), storageRuleOf(of.name, settings)]);
			if ([...functions.values()].flat().length > MOST_RULES)
				this.#notice(
					of,
					`${bucket ?? kv} has more than ${MOST_RULES} rules (triggers.storage): those past that tell nobody`,
				);
		}
	}

	/** Those that a tenant's functions have for one of its buckets or namespaces. */
	of(tenant: TenantName, stored: StoredIn): StorageRule[] {
		const functions = this.#rules.get(sourceKey(tenant, stored));
		return functions === undefined ? [] : [...functions.values()].flat().slice(0, MOST_RULES);
	}
}

const sourceKey = (tenant: TenantName, stored: StoredIn) =>
	"kv" in stored ? `${tenant}/kv/${stored.kv}` : `${tenant}/bucket/${stored.bucket}`;
