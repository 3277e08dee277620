import { ExecutionContext } from "../execution-context.ts";
import type { Request } from "../fetch/request.ts";
import { exported } from "../function-exports.ts";
import { environment, type Handler, handler as ownHandler } from "../handlers.ts";
import type { IoContext } from "../io-context.ts";

const { isEntrypointClass } = require("./base-classes.ts") as typeof import("./base-classes.ts");

type Method = (argument: unknown, environment: unknown, ctx: ExecutionContext) => unknown;

function isClassWith(value: unknown, name: string): value is new (ctx: unknown, env: unknown) => object {
	if (typeof value !== "function") return false;
	const prototype = value.prototype as unknown;
	return typeof prototype === "object" && prototype !== null && isMethodOf(prototype, name);
}

function isMethodOf(object: object, name: string): boolean {
	return typeof (object as Record<string, unknown>)[name] === "function";
}

/**
 * What answers a request at the export of a name, for whoever has said `props` of itself as JSON; `null` where nothing
 * does.
 */
export function fetchHandler(name: string, props: string): Handler | null {
	const value = exported(name);
	const contextOf = (context: IoContext) => new ExecutionContext(context, parseProps(props));
	if (isClassWith(value, "fetch")) {
		return (request, context) => {
			const ctx = contextOf(context);
			return (new value(ctx, environment()) as { fetch: Method }).fetch(request, environment(), ctx);
		};
	}
	if (typeof value === "object" && value !== null && isMethodOf(value, "fetch"))
		return (request, context) => (value as { fetch: Method }).fetch(request, environment(), contextOf(context));
	if (name !== "default" || isEntrypointClass(value)) return null;
	if (typeof value !== "function") return ownHandler;
	const answer = (isMethodOf(value, "fetch") ? (value as unknown as { fetch: Method }).fetch : value) as Method;
	return (request: Request, context) => answer.call(value, request, environment(), contextOf(context));
}

function parseProps(props: string): object | null {
	return props === "" ? null : (JSON.parse(props) as object);
}
