import { z } from "zod";
import type { Caller, EdgeBinding, OpenBinding } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { Functions } from "../functions.ts";
import { Service } from "../service/edge.ts";
import { decodeServiceCall } from "../service/schema.ts";

/**
 * A function's calls of itself (`ctx.exports`), which it may make at each of its exports and with any props: what it
 * says of itself concerns nobody else.
 */
class LoopbackBinding implements EdgeBinding {
	readonly settings = z.undefined();
	readonly #functions: Functions;

	constructor({ functions }: EdgeServices) {
		this.#functions = functions;
	}

	open(_: unknown, caller: Caller): OpenBinding {
		const service = new Service(this.#functions, caller.function, caller);
		return {
			prepare(argument) {
				const call = decodeServiceCall(argument);
				return call === null || call.entrypoint === "" ? null : service.prepare(call);
			},
		};
	}
}

export const create = (services: EdgeServices): EdgeBinding => new LoopbackBinding(services);
