import type { BindingNumber } from "../../link/calls.ts";
import { Request } from "../../prelude/fetch/request.ts";
import type { Response } from "../../prelude/fetch/response.ts";
import { asInterface, requireArguments } from "../../prelude/interface.ts";
import { fetchBy } from "../fetch/isolate.ts";

const SECRET = Symbol("construct");

/** https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/http/ */
export class Fetcher {
	readonly #binding: BindingNumber;

	constructor(secret?: unknown, binding?: BindingNumber) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
	}

	async fetch(input: unknown, init?: unknown): Promise<Response> {
		requireArguments(arguments.length, 1, "Fetcher.fetch");
		return fetchBy(this.#binding, new Request(input, init));
	}
}
asInterface(Fetcher, "Fetcher", { constructor: 0, fetch: 1 });

export const create = (binding: BindingNumber): Fetcher => new Fetcher(SECRET, binding);
