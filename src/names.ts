import { z } from "zod";

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

/** The function of a key. */
export function functionOfKey(key: string): FunctionId {
	const [tenant, name] = key.split("/");
	return { tenant, name };
}

/** The tenant of a key, which may be of whatever a tenant has. */
export function tenantOfKey(key: string): TenantName {
	return key.slice(0, key.indexOf("/"));
}

export const functionName = z
	.string()
	.regex(
		/^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/,
		"must be letters, digits, -, _ and ., up to 63, with a letter or digit at either end",
	);

/** One label of a hostname, so that a tenant's functions can be reached under it. */
export const tenantName = z
	.string()
	.regex(
		/^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/,
		"must be lower-case letters, digits, - and _, up to 63, with a letter or digit at either end",
	);

/** A SQL database's id, of its tenant's databases: it is a file's name, too. */
export const databaseId = z
	.string()
	.regex(/^[A-Za-z0-9][\w-]{0,99}$/, "must have up to 100 letters, digits, `-` and `_`, with a letter or digit first");

/** What people call a SQL database. */
export const databaseName = z
	.string()
	.regex(/^[A-Za-z0-9][\w-]{0,63}$/, "must have up to 64 letters, digits, `-` and `_`, with a letter or digit first");

/** A queue's name, of its tenant's queues. */
export const queueName = z
	.string()
	.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must have up to 63 lower-case letters, digits and `-`");

/** A KV namespace's id, of its tenant's namespaces. */
export const namespaceId = z
	.string()
	.regex(/^[\w.-]{1,100}$/, "must have up to 100 letters, digits, dots, `-` and `_`");

/** A bucket's name, of its tenant's buckets: https://developers.cloudflare.com/r2/buckets/create-buckets/ */
export const bucketName = z
	.string()
	.regex(
		/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
		"must have 3 to 63 lower-case letters, digits and `-`, with a letter or digit at either end",
	);
