import { z } from "zod";
import { functionName } from "../../names.ts";
import type { Caller, EdgeBinding, OpenBinding } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { Hop } from "../fetch/edge/redirects.ts";
import { prepareFetch } from "../fetch/edge.ts";
import type { Functions } from "../functions.ts";

const settings = z.strictObject({ function: functionName });
type Settings = z.infer<typeof settings>;

/**
 * Another function of the same tenant, by its name: `env.API.fetch(request)` is answered by it whatever the URL's
 * hostname says, without leaving the process.
 */
class ServiceBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #functions: Functions;

	constructor({ functions }: EdgeServices) {
		this.#functions = functions;
	}

	open({ function: name }: Settings, caller: Caller): OpenBinding {
		const named = { tenant: caller.function.tenant, name };
		const refusal = (url: URL | null) =>
			url === null || !/^https?:$/.test(url.protocol)
				? "a service is asked with http and https URLs"
				: this.#functions.refusal(caller.chain);
		const ask = async (hop: Hop) => {
			const url = new URL(hop.url);
			const refused = refusal(url); // It may have redirected to anything.
			if (refused !== null) throw new Error(refused);
			return this.#functions.ask({ ...hop, url }, caller.chain, named);
		};
		return { prepare: (argument) => prepareFetch(argument, refusal, ask) };
	}
}

export const create = (services: EdgeServices): EdgeBinding<Settings> => new ServiceBinding(services);
