import { setImmediate as turn } from "node:timers/promises";
import { type FunctionId, functionOfKey, keyOf } from "../../names.ts";
import type { FunctionDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import type { Bearer } from "../tokens.ts";

/** So many names are read before others have their turn. */
const AT_A_TIME = 1000;

/** The keys of the functions that somebody may see and whose key has a text in it, in their order. */
export async function functionKeys(store: Store, { grant }: Bearer, text: string): Promise<string[]> {
	const { tenant, functions } = grant;
	const looked = text.toLowerCase();
	const isMeant = (key: string) => key.toLowerCase().includes(looked);
	if (functions !== null && tenant !== null) {
		const entries = await Promise.all(
			functions.map((name) => store.keys("function", { prefix: keyOf({ tenant, name }), limit: 1 })),
		);
		return functions
			.map((name) => keyOf({ tenant, name }))
			.filter((key, i) => entries[i][0] === key && isMeant(key))
			.sort();
	}
	const found: string[] = [];
	const prefix = tenant === null ? "" : `${tenant}/`;
	for (let after = ""; ; ) {
		const page = await store.keys("function", { prefix, after, limit: AT_A_TIME });
		found.push(...page.filter((key) => isMeant(key) && (functions?.includes(functionOfKey(key).name) ?? true)));
		if (page.length < AT_A_TIME) return found;
		after = page[page.length - 1];
		await turn();
	}
}

/** Functions by their keys, each of which may be large: others have their turn between two. */
export async function functionsOf(store: Store, keys: readonly string[]): Promise<FunctionDocument[]> {
	const found: FunctionDocument[] = [];
	for (const key of keys) {
		const entry = await store.get("function", key);
		if (entry !== null) found.push(entry.value);
		await turn();
	}
	return found;
}

/** Where a function's page is. */
export function pathOf({ tenant, name }: FunctionId): string {
	return `/functions/${encodeURIComponent(tenant)}/${encodeURIComponent(name)}`;
}
