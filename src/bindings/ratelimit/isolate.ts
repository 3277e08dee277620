import type { BindingNumber } from "../../link/calls.ts";
import { Call } from "../../prelude/call.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../../prelude/interface.ts";

const SECRET = Symbol("construct");

/** https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/ */
export class RateLimit {
	readonly #binding: BindingNumber;

	constructor(secret?: unknown, binding?: BindingNumber) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
	}

	async limit(options: unknown): Promise<{ success: boolean }> {
		requireArguments(arguments.length, 1, "RateLimit.limit");
		const { key } = toDictionary(options, "RateLimit.limit");
		if (key === undefined) throw new TypeError("RateLimit.limit: a key is required");
		const call = new Call(this.#binding, {
			what: "RateLimit.limit()",
			argument: toUSVString(key),
			body: null,
			signal: null,
		});
		await call.answered;
		if (call.failure !== null) throw new Error(call.failure);
		return { success: call.text === "1" };
	}
}
asInterface(RateLimit, "RateLimit", { limit: 1 });

export const create = (binding: BindingNumber): RateLimit => new RateLimit(SECRET, binding);
