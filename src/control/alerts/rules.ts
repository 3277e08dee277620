import { alertingName } from "../../config/alert-receivers.ts";
import type { TenantName } from "../../names.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import { parsedQuery } from "../observe/parsed-query.ts";
import type { AlertRuleDocument } from "../store/documents.ts";
import { type Entry, retried, type Sequence, type Store } from "../store/store.ts";
import { DEFAULT_RULES } from "./default-rules.ts";
import { isServerMetric } from "./metrics.ts";
import type { RuleSettings } from "./rule.ts";

/** A tenant has so many rules of its own, and so many of them with a query. */
const MOST_RULES = 100;
const MOST_QUERIES = 20;

/** Whose something is; `null` for the operator's. */
export type Owner = TenantName | null;
export const ownKey = (owner: Owner, name: string) => `${owner ?? ""}/${name}`;
export const whoseOf = (owner: Owner) => (owner === null ? "the operator" : `the tenant ${owner}`);

/** The rules that the operator and tenants have made, in the store. */
export class Rules {
	readonly #store: Store;

	constructor(store: Store) {
		this.#store = store;
	}

	async list(owner: Owner): Promise<AlertRuleDocument[]> {
		return (await this.#store.list("alertRule", { prefix: ownKey(owner, "") })).map(({ value }) => value);
	}

	find(owner: Owner, name: string): Promise<Entry<"alertRule"> | null> {
		return this.#store.get("alertRule", ownKey(owner, name));
	}

	/** Has there be a rule, in place of what it may have been. Throws ControlError `invalid` for what makes no sense. */
	async put(actor: string, owner: Owner, given: string, settings: RuleSettings): Promise<Sequence> {
		const name = checked(alertingName, given, "the rule's name");
		check(owner, settings);
		const key = ownKey(owner, name);
		return retried(async () => {
			const entry = await this.find(owner, name);
			const others = (await this.list(owner)).filter((one) => one.name !== name);
			if (others.length >= MOST_RULES)
				throw new ControlError("invalid", `${whoseOf(owner)} may have ${MOST_RULES} rules: remove one first`);
			const asking = others.filter((one) => one.settings.query !== undefined);
			if (settings.query !== undefined && asking.length >= MOST_QUERIES)
				throw new ControlError("invalid", `${MOST_QUERIES} rules may have a query: remove one first`);
			const changed = new Date().toISOString();
			const created = entry?.value.created ?? changed;
			const value: AlertRuleDocument = { tenant: owner, name, settings, created, changed };
			return this.#store.commit({ actor, action: "alert-rule.set", target: key }, [
				{ kind: "alertRule", key, value, expected: entry?.revision ?? 0 },
			]);
		});
	}

	/** Throws ControlError `not_found`. What has the name of a default rule is that again. */
	async remove(actor: string, owner: Owner, name: string): Promise<Sequence> {
		return retried(async () => {
			const entry = await this.find(owner, name);
			if (entry === null)
				throw new ControlError("not_found", `${whoseOf(owner)} has no rule ${JSON.stringify(name)}${hintOf(name)}`);
			return this.#store.commit({ actor, action: "alert-rule.remove", target: entry.key }, [
				{ kind: "alertRule", key: entry.key, value: null, expected: entry.revision },
			]);
		});
	}
}

const hintOf = (name: string) =>
	DEFAULT_RULES.has(name) ? ": it is a default one, which is switched off by one of its name with enabled: false" : "";

function check(owner: Owner, { metric, query, tenants }: RuleSettings): void {
	if (owner !== null && isServerMetric(metric))
		throw new ControlError("invalid", `metric: ${metric} is of the server, for the operator's rules alone`);
	if (owner !== null && tenants !== "*")
		throw new ControlError("invalid", "tenants: is for the operator's rules alone");
	if (query !== undefined) parsedQuery(query);
}
