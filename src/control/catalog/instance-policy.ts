import { ControlError } from "../control-error.ts";
import type { FunctionDocument } from "../store/documents.ts";
import type { Change, Store } from "../store/store.ts";

/** How many isolates functions may have, started ahead of requests and in all. */
export class InstancePolicy {
	readonly #store: Store;
	readonly #most: number;

	/** `most` is what all functions of a tenant may have started ahead together. */
	constructor(store: Store, most: number) {
		this.#store = store;
		this.#most = most;
	}

	/** What is to be committed with a change of a function. Throws ControlError `invalid` for what it cannot have. */
	async claims(before: FunctionDocument, after: FunctionDocument): Promise<Change[]> {
		const { tenant, name, provisioned, maxInstances } = after;
		if (provisioned > (maxInstances ?? Number.POSITIVE_INFINITY))
			throw new ControlError(
				"invalid",
				`${name} cannot have ${provisioned} instances provisioned, and ${maxInstances} at most: raise maxInstances, or lower provisioned`,
			);
		if (provisioned <= before.provisioned) return [];
		// Whoever does the same for another function of the tenant has to count again, from this moment on.
		const entry = await this.#store.get("tenant", tenant);
		const all = await this.#store.list("function", { prefix: `${tenant}/` });
		const others = all
			.filter(({ value }) => value.name !== name)
			.reduce((sum, { value }) => sum + value.provisioned, 0);
		if (others + provisioned > this.#most)
			throw new ControlError(
				"invalid",
				`the tenant ${tenant} may have ${this.#most} instances provisioned, and its other functions have ${others}: there is no room for ${provisioned}`,
			);
		return entry === null ? [] : [{ kind: "tenant", key: tenant, value: entry.value, expected: entry.revision }];
	}
}
