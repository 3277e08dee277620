import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Bytes } from "../units.ts";
import { ControlError } from "./control-error.ts";
import type { Authenticated } from "./tokens.ts";

const MB: Bytes = 2 ** 20;
/** An upload may be so large, with its modules and what stands around them; any other body so large. */
const MOST_UPLOAD = 64 * MB;
const MOST_JSON = 4 * MB;
/** What a call may be told of values, which are in memory until it is. */
const MOST_VALUES = 25 * MB;
/** The bodies of one token's requests that are worked on may have so many bytes together: memory holds them twice. */
const MOST_OF_TOKEN = 128 * MB;

const IN_NAMESPACE = "^/client/v4/accounts/[^/]+/storage/kv/namespaces/[^/]+";
const VALUE = new RegExp(`${IN_NAMESPACE}/values/`);
const OBJECT = /^\/client\/v4\/accounts\/[^/]+\/r2\/buckets\/[^/]+\/objects\//;
const BULK = new RegExp(`${IN_NAMESPACE}/bulk$`);
const IMPORT = /^\/v1\/tenants\/[^/]+\/databases\/[^/]+\/import$/;
const BULK_GET = new RegExp(`${IN_NAMESPACE}/bulk/get$`);

/** Bounds bodies: each of them, and what one token sends at a time. */
export function boundBodies(): MiddlewareHandler<Authenticated> {
	const held = new Map<string, Bytes>();
	const limits = new Map(
		[MOST_UPLOAD, MOST_JSON].map((maxSize) => [maxSize, bodyLimit({ maxSize, onError: (c) => tooLarge(c, maxSize) })]),
	);
	return async (c, next) => {
		// It is passed on as it comes, and whoever takes it bounds it.
		if (isValue(c) || IMPORT.test(c.req.path)) return next();
		const most = mostOf(c);
		const { id } = c.get("bearer");
		// What comes in chunks may become as large as it may.
		const sent = Math.min(most, Number(c.req.header("content-length") ?? (hasBody(c) ? most : 0)));
		const bytes = BULK_GET.test(c.req.path) ? sent + MOST_VALUES : sent;
		const before = held.get(id) ?? 0;
		if (before + bytes > MOST_OF_TOKEN)
			throw new ControlError(
				"too_many_uploads",
				`a token may send ${MOST_OF_TOKEN / MB} MB at the same time; try again when the others are through`,
				1,
			);
		held.set(id, before + bytes);
		try {
			return await limits.get(most)?.(c, next);
		} finally {
			const left = (held.get(id) ?? 0) - bytes;
			if (left > 0) held.set(id, left);
			else held.delete(id);
		}
	};
}

function mostOf(c: Context): Bytes {
	return isForm(c) || BULK.test(c.req.path) ? MOST_UPLOAD : MOST_JSON;
}

const isForm = (c: Context) => /^multipart\/form-data\b/i.test(c.req.header("content-type") ?? "");
/** Whether it is a value of KV's, or an object, and nothing else. */
const isValue = (c: Context) =>
	c.req.method === "PUT" && ((VALUE.test(c.req.path) && !isForm(c)) || OBJECT.test(c.req.path));

function hasBody(c: Context): boolean {
	return c.req.header("transfer-encoding") !== undefined;
}

function tooLarge(c: Context, most: Bytes): never {
	// The rest of it is not read.
	c.header("connection", "close");
	throw new ControlError("too_large", `a request of this kind may have ${most / MB} MB at most`);
}
