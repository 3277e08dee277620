import type { Exception } from "../../link/exception.ts";
import { HANDLERS } from "../../link/handlers.ts";
import { type ErrorDescription, MAX_ERROR_TEXT } from "../../link/messages.ts";
import type { Rpc, ServiceHead } from "../../link/service-head.ts";
import { encodeUtf8 } from "../encoding/bytes.ts";
import { describeError, tracker } from "../errors/report-error.ts";
import { ExecutionContext } from "../execution-context.ts";
import type { Body } from "../fetch/body.ts";
import { receiveStream } from "../fetch/body-stream.ts";
import { exported } from "../function-exports.ts";
import { environment } from "../handlers.ts";
import type { IoContext } from "../io-context.ts";
import type { Targets } from "./targets.ts";

const { isEntrypointClass, RpcTarget } =
	require("../entrypoints/base-classes.ts") as typeof import("../entrypoints/base-classes.ts");
const { decode } = require("./decode.ts") as typeof import("./decode.ts");
const { encode } = require("./encode.ts") as typeof import("./encode.ts");

/** What a call by rpc has come to: what it gave, or what it threw, described and as its caller gets it. */
export type Outcome =
	| { given: Body; stubs: boolean }
	| { given: null; code: Exception["code"]; error: ErrorDescription; thrown: Uint8Array };

/** Calls a method that another function asks for, or gets a property. It never rejects. */
export async function invoke(head: ServiceHead, rpc: Rpc, body: Body, context: IoContext): Promise<Outcome> {
	const { entrypoint, props } = head;
	// Where its arguments have come as a stream, there is no room for more.
	const targets = head.body === "stream" ? null : targetsOf(context);
	try {
		const ctx = new ExecutionContext(context, props === "" ? null : (JSON.parse(props) as object));
		const args = (await decode(body, null)) as unknown[];
		const receiver = receiverOf(entrypoint, ctx);
		const insertable = receiver.alone && rpc.path.length === 1 ? ctx : null;
		const value = await perform(receiver, rpc, args, insertable);
		const given = encode(value, targets);
		return { given, stubs: targets?.used ?? false };
	} catch (error) {
		const code = exported(entrypoint) === undefined ? "no_handler" : "exception";
		return { given: null, code, error: describeError(error), thrown: encodeThrown(error) };
	}
}

/** Calls a method, or gets a property. Methods that are to be told `env` and `ctx` are where `ctx` is given. */
async function perform(
	receiver: Receiver,
	{ what, path }: Pick<Rpc, "what" | "path">,
	given: unknown[],
	ctx: ExecutionContext | null,
): Promise<unknown> {
	const { holder, value } = await find(receiver, path);
	if (what === "get") {
		if (typeof value === "function") throw new TypeError(`"${nameOf(path)}" is a method: call it.`);
		return await value;
	}
	if (typeof value !== "function") throw new TypeError(`"${nameOf(path)}" is not a function.`);
	const list = ctx === null ? given : insert(value, given, ctx);
	const returned: unknown = Reflect.apply(value as () => unknown, holder, list);
	tracker?.handle(returned);
	return await returned;
}

/** For what results have that stays here, and what is asked of it then. */
function targetsOf(context: IoContext): Targets {
	const { Targets: Kept } = require("./targets.ts") as typeof import("./targets.ts");
	return new Kept(
		(target, what, path, given) =>
			path.length === 0 && typeof target !== "function"
				? Promise.reject(new TypeError("a target is no function"))
				: perform({ object: target, alone: false }, { what, path }, given, null),
		() => receiveStream(context, 0, context.exchange),
	);
}

/** What a path of names begins at. */
interface Receiver {
	object: object;
	/** Whether it is no class's instance: its own properties are what it has then, and methods are told `env` and `ctx`. */
	alone: boolean;
}

/** What is called in the place of an entrypoint. */
function receiverOf(name: string, ctx: ExecutionContext): Receiver {
	const value = exported(name);
	if (isEntrypointClass(value)) return { object: new value(ctx, environment()), alone: false };
	if (typeof value === "object" && value !== null) return { object: value, alone: true };
	if (value === undefined) throw new TypeError(`The function has no entrypoint "${name}".`);
	const why = `The entrypoint "${name}" has no methods to call, because it is not a class declared with \`extends WorkerEntrypoint\``;
	throw new TypeError(`${why}, which can be imported from "cloudflare:workers".`);
}

/** A property, and what has it. */
interface Found {
	holder: unknown;
	value: unknown;
}

/** What no path begins with: https://developers.cloudflare.com/workers/runtime-apis/rpc/reserved-methods/ */
const RESERVED = [
	...HANDLERS,
	"alarm",
	"connect",
	"constructor",
	"dup",
	"webSocketClose",
	"webSocketError",
	"webSocketMessage",
];

async function find({ object, alone }: Receiver, path: string[]): Promise<Found> {
	if (path.length > 0 && RESERVED.includes(path[0]))
		throw new TypeError(`'${path[0]}' is a reserved method and cannot be called over RPC.`);
	let holder: unknown = object;
	let value: unknown = object;
	for (let i = 0; i < path.length; i++) {
		if (i > 0) holder = await value;
		const own = i === 0 ? alone : isData(holder);
		const seen = own || (i === 0 && typeof holder !== "function") || holder instanceof RpcTarget;
		if (!seen || !has(holder as object, path[i], own))
			throw new TypeError(`The RPC receiver does not implement the method "${nameOf(path)}".`);
		value = (holder as Record<string, unknown>)[path[i]];
	}
	return { holder, value };
}

/** Whether something is an object of its own properties alone. */
function isData(value: unknown): boolean {
	if (typeof value !== "object" || value === null) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null || Array.isArray(value);
}

/**
 * Whether an object has a property that others may see: its own, or else one of its class, but none that it has
 * itself, nor of any object.
 */
function has(object: object, name: string, own: boolean): boolean {
	if (own || Object.hasOwn(object, name)) return own && Object.hasOwn(object, name);
	if (name === "constructor") return false;
	for (let at = Object.getPrototypeOf(object); at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at))
		if (Object.hasOwn(at, name)) return true;
	return false;
}

const nameOf = (path: string[]) => path.join(".");

/**
 * The arguments of a method of an object: those given, then `env` and `ctx`, in the last two places of those that it
 * has declared, if these are three or more.
 */
function insert({ length }: { length: unknown }, given: unknown[], ctx: ExecutionContext): unknown[] {
	const declared = typeof length === "number" && length > 3 && length < 256 ? length : 3;
	if (given.length > declared - 2)
		throw new TypeError(`a method of an object takes ${declared - 2} arguments of its caller, and was given more`);
	const list: unknown[] = [];
	for (let i = 0; i < declared - 2; i++) list.push(i < given.length ? given[i] : undefined);
	list.push(environment(), ctx);
	return list;
}

/** What a caller gets of something that was thrown: a copy, or, where that cannot be, what an error of it would say. */
function encodeThrown(thrown: unknown): Uint8Array {
	try {
		const source = encode(thrown).take();
		if (source === null || source.length > MOST_THROWN) return encodeMessage(thrown);
		return typeof source === "string" ? encodeUtf8(source) : source;
	} catch {
		return encodeMessage(thrown);
	}
}

function encodeMessage(thrown: unknown): Uint8Array {
	const { message } = describeError(thrown);
	return encodeUtf8(encode(new Error(message)).take() as string);
}

/** Much more than any error has. */
const MOST_THROWN = 8 * MAX_ERROR_TEXT;
