import { secretsOf } from "../config/event-sources.ts";
import type { Source as Found } from "../config/project.ts";
import type { Runtime } from "../runtime.ts";
import type { Source } from "../sources/source-settings.ts";
import { sourceKey } from "../sources/sources.ts";

/**
 * Has a runtime take events from the sources that functions on disk name. Several may name one; where they do not say
 * the same of it the first has it. Gives what is to be told of that.
 */
export function applySources(runtime: Runtime, functions: readonly Found[]): string[] {
	const sources = new Map<string, Source>();
	const problems: string[] = [];
	for (const one of functions) {
		if (one.problem !== null) continue;
		for (const found of one.sources) {
			const key = sourceKey({ tenant: one.tenant, name: found.name });
			let secrets: string[];
			try {
				secrets = secretsOf(found);
			} catch (error) {
				problems.push(`the source ${key} is not there: ${(error as Error).message}`);
				continue;
			}
			const { name, scheme, rules } = found;
			const source = { tenant: one.tenant, name, scheme, secrets, rules };
			const first = sources.get(key);
			const isSame = first?.scheme === source.scheme && first.secrets.join() === source.secrets.join();
			if (first === undefined) sources.set(key, source);
			else if (isSame) sources.set(key, { ...first, rules: [...first.rules, ...source.rules] });
			else
				problems.push(
					`the source ${key} is another function's, with another scheme or secret: ${one.name} has no events of it`,
				);
		}
	}
	runtime.sources.apply([...sources.values()], []);
	runtime.sources.retain(new Set(sources.keys()));
	// There may be some from before, which have been acknowledged.
	if (sources.size > 0) runtime.resume();
	return problems;
}
