import { setImmediate as immediate } from "node:timers/promises";
import type { GivenBindings } from "../../bindings/binding.ts";
import { type FunctionName, keyOf, type TenantName } from "../../names.ts";
import type { FunctionDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";

/** The functions of a tenant of which a version is released, under any alias, whose bindings use something. */
export async function usersOf(
	store: Store,
	tenant: TenantName,
	uses: (bindings: GivenBindings) => boolean,
): Promise<FunctionName[]> {
	const users: FunctionName[] = [];
	for await (const { function: one, bindings } of releasedBindings(store, tenant))
		if (bindings.some(uses)) users.push(one.name);
	return users;
}

/** A tenant's functions, each with the bindings of its versions that are released, under any alias. */
export async function* releasedBindings(
	store: Store,
	tenant: TenantName,
): AsyncGenerator<{ function: FunctionDocument; bindings: GivenBindings[] }> {
	for (const { value: one } of await store.list("function", { prefix: `${tenant}/` })) {
		// Others have their turn.
		await immediate();
		const key = keyOf(one);
		const bindings: GivenBindings[] = [];
		for (const release of new Set(Object.values(one.aliases)))
			for (const { version } of (await store.get("release", `${key}/${release}`))?.value.shares ?? [])
				bindings.push((await store.get("version", `${key}/${version}`))?.value.bindings ?? {});
		yield { function: one, bindings };
	}
}
