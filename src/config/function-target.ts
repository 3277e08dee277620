import { z } from "zod";
import {
	DEFAULT_TENANT,
	type FunctionId,
	type FunctionName,
	functionName,
	type TenantName,
	tenantName,
} from "../names.ts";
import { check } from "./check.ts";

/** Which function: `"shop"` for one of the operator's own, or whose and which. */
export type FunctionTarget = FunctionName | { tenant?: TenantName; name: FunctionName };

/** A function that is named from outside; `null` for none. */
export interface Targeted {
	function: FunctionId | null;
}

export const functionId = z.strictObject({ tenant: tenantName.default(DEFAULT_TENANT), name: functionName });

export const functionTarget = z.union(
	[functionName.transform((name) => ({ tenant: DEFAULT_TENANT, name })), functionId],
	"must be a function's name, or { tenant, name }",
);

/** Names the function of the operator's own tenant where no other is named. */
export function checkFunctionId(id: unknown): FunctionId {
	return check<FunctionId>(functionId, id, "function");
}
