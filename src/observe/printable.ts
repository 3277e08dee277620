import { DEFAULT_TENANT, type FunctionId } from "../names.ts";

/** A function's name as a person reads it: the operator's own without their tenant's. */
export function label({ tenant, name }: FunctionId): string {
	return printable(tenant === DEFAULT_TENANT ? name : `${tenant}/${name}`);
}

/** What comes from a folder, a function or whoever deployed it writes no control characters to a terminal. */
export function printable(text: string): string {
	return text.replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}
