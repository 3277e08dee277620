import type { BindingNumber } from "../../link/calls.ts";
import type { Asked } from "../../link/service-head.ts";
import { Request } from "../../prelude/fetch/request.ts";
import type { Response } from "../../prelude/fetch/response.ts";
import { asInterface, requireArguments } from "../../prelude/interface.ts";
import { fetchBy } from "../fetch/isolate.ts";
import { encodeServiceCall } from "./schema.ts";

const SECRET = Symbol("construct");

/** What a deployment has said of a service is not said again by whoever calls it. */
const AS_DEPLOYED: Asked = { entrypoint: "", props: "" };

/** https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/http/ */
export class Fetcher {
	readonly #binding: BindingNumber;
	readonly #asked: Asked;

	constructor(secret?: unknown, binding?: BindingNumber, asked?: Asked) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
		this.#asked = asked as Asked;
	}

	async fetch(input: unknown, init?: unknown): Promise<Response> {
		requireArguments(arguments.length, 1, "Fetcher.fetch");
		const { entrypoint, props } = this.#asked;
		return fetchBy(this.#binding, new Request(input, init), (request) =>
			encodeServiceCall({ entrypoint, props, request }),
		);
	}
}
asInterface(Fetcher, "Fetcher", { constructor: 0, fetch: 1 });

/** Such a stub, `asked` for what its deployment has not said. */
export const create = (binding: BindingNumber, asked: Asked = AS_DEPLOYED): Fetcher =>
	new Fetcher(SECRET, binding, asked);
