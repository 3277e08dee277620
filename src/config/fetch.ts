import { z } from "zod";
import { check } from "./check.ts";
import { type FunctionTarget, functionTarget, type Targeted } from "./function-target.ts";

/** What `fetch` is told beside a request. */
export interface FetchOptions {
	/** The function that the request is for, whatever its hostname. Default: the one that has the hostname. */
	function?: FunctionTarget;
	/** Whom the request comes from, which the function reads as `request.client`. Default: nobody, `null`. */
	client?: {
		/** An IPv4 or IPv6 address. */
		ip: string;
		/** Default: 0. */
		port?: number;
		/** Of HTTP. Default: `HTTP/1.1`. */
		protocol?: string;
		/** The version of TLS, such as `TLSv1.3`; `null` for none. Default: `null`. */
		tls?: string | null;
	};
}

const word = z.string().regex(/^[!-~]{1,20}$/, "must have up to 20 visible ASCII letters");

const fetchSchema = z.strictObject({
	function: functionTarget.nullable().default(null),
	client: z
		.strictObject({
			ip: z.union([z.ipv4(), z.ipv6()], "must be an IPv4 or IPv6 address"),
			port: z.number().int().min(0).max(65535).default(0),
			protocol: word.default("HTTP/1.1"),
			tls: word.nullable().default(null),
		})
		.nullable()
		.default(null),
});

/** What `fetch` is told, with its defaults. */
export type CheckedFetch = Targeted & { client: Required<NonNullable<FetchOptions["client"]>> | null };

export function checkFetch(options: unknown): CheckedFetch {
	return check<CheckedFetch>(fetchSchema, options, "fetch");
}
