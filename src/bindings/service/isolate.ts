import type { BindingNumber } from "../../link/calls.ts";
import type { Rpc } from "../../link/service-head.ts";
import { Call } from "../../prelude/call.ts";
import { Body } from "../../prelude/fetch/body.ts";
import { Request } from "../../prelude/fetch/request.ts";
import type { Response } from "../../prelude/fetch/response.ts";
import { asInterface, requireArguments } from "../../prelude/interface.ts";
import type { Stubs } from "../../prelude/rpc/stubs.ts";
import { fetchBy } from "../fetch/isolate.ts";
import { decodeResult, encodeServiceCall, isPath } from "./schema.ts";

const SECRET = Symbol("construct");

/** Whom a stub calls. */
interface Callee {
	binding: BindingNumber;
	/** Both empty where a deployment has said of whom and with what. */
	entrypoint: string;
	props: string;
}

let calleeOf: (stub: unknown) => Callee | null;

/**
 * https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/. Whatever it has not is a method,
 * or a property, of the function that it stands for.
 */
export class Fetcher {
	readonly #callee: Callee;

	constructor(secret?: unknown, callee?: Callee) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#callee = callee as Callee;
	}

	async fetch(input: unknown, init?: unknown): Promise<Response> {
		requireArguments(arguments.length, 1, "Fetcher.fetch");
		const { binding, entrypoint, props } = this.#callee;
		return fetchBy(binding, new Request(input, init), (request) =>
			encodeServiceCall({ entrypoint, props, rpc: null, request }),
		);
	}

	static {
		calleeOf = (stub) => (typeof stub === "object" && stub !== null && #callee in stub ? stub.#callee : null);
	}
}
asInterface(Fetcher, "Fetcher", { constructor: 0, fetch: 1 });

/** What is asked of any object, by the language or by JSON: no function is asked for that. */
const OF_ANY = ["then", "toJSON"];

const behind = new Proxy(Object.create(Object.prototype) as object, {
	get(target, name, stub) {
		const callee = typeof name === "string" && !(name in target) && !OF_ANY.includes(name) ? calleeOf(stub) : null;
		return callee === null ? Reflect.get(target, name, stub) : memberOf(callee, [name as string]);
	},
});
// Behind its prototype, so that what stands before it is found as on any object.
Object.setPrototypeOf(Fetcher.prototype, behind);

function memberOf(callee: Callee, path: string[]): object {
	const stubs = require("../../prelude/rpc/stubs.ts") as typeof import("../../prelude/rpc/stubs.ts");
	return stubs.memberOf((what, at, given) => call(callee, { what, path: at }, given), path, null);
}

async function call(callee: Callee, rpc: Rpc, given: unknown[]): Promise<unknown> {
	if (!isPath(rpc.path)) throw new TypeError("the name of a method, or the way to it, is too long");
	const { encode } = require("../../prelude/rpc/encode.ts") as typeof import("../../prelude/rpc/encode.ts");
	const { decode } = require("../../prelude/rpc/decode.ts") as typeof import("../../prelude/rpc/decode.ts");
	const one = await send(callee, rpc, encode(given));
	const { thrown, session } = decodeResult(one.text);
	if (one.body === null) throw new TypeError(`${rpc.path.join(".")}() has given nothing`);
	const value = await decode(one.body, session === null ? null : stubsOf(callee, session));
	if (thrown) throw value;
	return value;
}

/** The stubs in a result, whose calls go where it came from. */
function stubsOf(callee: Callee, session: string): Stubs {
	const stubs = require("../../prelude/rpc/stubs.ts") as typeof import("../../prelude/rpc/stubs.ts");
	return new stubs.Stubs(async (message) => {
		await send(callee, { what: "tell", path: [session] }, new Body(message, null));
	});
}

async function send({ binding, entrypoint, props }: Callee, rpc: Rpc, body: Body): Promise<Call> {
	const argument = encodeServiceCall({ entrypoint, props, rpc, request: "" });
	const one = new Call(binding, { what: `${rpc.path.join(".")}()`, argument, body, signal: null });
	await one.answered;
	if (one.failure !== null) throw new Error(one.failure);
	return one;
}

/** A stub of a binding; `entrypoint` and `props` for what its deployment has not said. */
export const create = (binding: BindingNumber, entrypoint = "", props = ""): Fetcher =>
	new Fetcher(SECRET, { binding, entrypoint, props });
