import type { Bound } from "../bindings/binding.ts";

/** What stands in a function's `env`: what a release gives its versions, beside their code. */
export interface Environment {
	/** The variables, as JSON. */
	readonly variables: string;
	/** The numbers of bindings are their places here, from 1. */
	readonly bindings: readonly Bound[];
}

export const NO_ENVIRONMENT: Environment = { variables: "{}", bindings: [] };

/** Whether isolates that were started with the one are as good as new ones with the other. */
export function isSame(one: Environment, other: Environment): boolean {
	return one.variables === other.variables && JSON.stringify(one.bindings) === JSON.stringify(other.bindings);
}
