import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { check } from "./check.ts";
import { type FunctionTarget, functionTarget, type Targeted } from "./function-target.ts";

/** Where a listener stands in a server of `node:http`, and whom it serves. */
export interface MountOptions {
	/** The function that it serves, whatever a request's hostname. Default: the one that has the hostname. */
	function?: FunctionTarget;
	/**
	 * The path below which it serves, such as `/shop`. The function sees the rest: `/cart` for `/shop/cart`, `/` for
	 * `/shop`. What lies elsewhere goes to `next`, or gets 404 `path_not_found`. Default: none.
	 */
	prefix?: string;
	/**
	 * The address of a request's client, for a server that stands behind a proxy: `(req) => req.ip` in Express. What is
	 * no address is passed over. Default: the address at the other end of the connection.
	 */
	client?: (req: IncomingMessage & { ip?: string }) => string | undefined;
}

const mountSchema = z.strictObject({
	function: functionTarget.nullable().default(null),
	prefix: z
		.string()
		.regex(/^(?:\/[\w\-.~!$&'()*+,;=:@]+)+$/, "must be a path like /shop, without a slash at its end")
		.refine((path) => new URL(path, "http://a").pathname === path, "must have no segments . and ..")
		.default(""),
	client: z
		.custom<NonNullable<MountOptions["client"]>>((value) => typeof value === "function", "must be a function")
		.nullable()
		.default(null),
});

/** A mount with its defaults. */
export type CheckedMount = Targeted & { prefix: string; client: NonNullable<MountOptions["client"]> | null };

export function checkMount(options: unknown, where: string): CheckedMount {
	return check<CheckedMount>(mountSchema, options, where);
}
