/** Whoever deploys functions. */
export type TenantName = string;
export type FunctionName = string;

/** The operator's own tenant, which exists from the start: a deployment that names none is its. */
export const DEFAULT_TENANT: TenantName = "default";

/** Which function: whose, and what its tenant calls it. Two tenants may both have a `shop`. */
export interface FunctionId {
	tenant: TenantName;
	name: FunctionName;
}

/** The same as one string, for tables: neither name holds a slash. */
export function keyOf({ tenant, name }: FunctionId): string {
	return `${tenant}/${name}`;
}
