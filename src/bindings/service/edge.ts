import type { Asked } from "../../link/service-head.ts";
import type { FunctionId } from "../../names.ts";
import type { Caller, EdgeBinding, OpenBinding, Prepared } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { Hop } from "../fetch/edge/redirects.ts";
import { prepareFetch } from "../fetch/edge.ts";
import type { Called, Functions, Session } from "../functions.ts";
import { decodeServiceCall, encodeResult, type ServiceCall } from "./schema.ts";
import { type ServiceSettings, serviceSettings } from "./settings.ts";

/**
 * Another function of the same tenant, by its name: `env.API.fetch(request)` is answered by it whatever the URL's
 * hostname says, without leaving the process.
 */
class ServiceBinding implements EdgeBinding<ServiceSettings> {
	readonly settings = serviceSettings;
	readonly #functions: Functions;

	constructor({ functions }: EdgeServices) {
		this.#functions = functions;
	}

	open({ function: name, entrypoint, props }: ServiceSettings, caller: Caller): OpenBinding {
		const service = new Service(this.#functions, { tenant: caller.function.tenant, name }, caller);
		return {
			prepare(argument) {
				const call = decodeServiceCall(argument);
				if (call === null || call.entrypoint !== "" || call.props !== "") return null;
				return service.prepare({ ...call, entrypoint, props });
			},
		};
	}
}

/** A function that another one may call. */
export class Service {
	readonly #functions: Functions;
	readonly #function: FunctionId;
	readonly #caller: Caller;
	/** Calls whose results have stubs, by the numbers that the caller has been told. */
	readonly #sessions = new Map<string, Session>();

	constructor(functions: Functions, called: FunctionId, caller: Caller) {
		this.#functions = functions;
		this.#function = called;
		this.#caller = caller;
	}

	/** A call of it, as of an `OpenBinding`. */
	prepare({ request, ...asked }: ServiceCall): Prepared | string | null {
		const { chain } = this.#caller;
		const refusal = (url: URL | null) =>
			url === null || !/^https?:$/.test(url.protocol)
				? "a service is asked with http and https URLs"
				: this.#functions.refusal(chain);
		const called = { function: this.#function, asked: isPlain(asked) ? null : asked };
		if (asked.rpc?.what === "tell") return this.#tell(asked.rpc.path[0]);
		if (asked.rpc !== null) return this.#functions.refusal(chain) ?? this.#call(called);
		const ask = async (hop: Hop) => {
			const url = new URL(hop.url);
			const refused = refusal(url); // It may have redirected to anything.
			if (refused !== null) throw new Error(refused);
			return this.#functions.ask({ ...hop, url }, chain, called);
		};
		return prepareFetch(request, refusal, ask, this.#caller.trace);
	}

	#call(called: Called): Prepared {
		return {
			target: called.function.name,
			operation: called.asked?.rpc?.path.join(".") ?? "",
			perform: async (content, signal, trace) => {
				const result = await this.#functions.call({ content, signal, trace }, this.#caller.chain, called);
				const { thrown, session } = result;
				const number = session === null ? null : `${this.#sessions.size + 1}`;
				if (session !== null && number !== null) this.#sessions.set(number, session);
				const text = encodeResult({ thrown, session: number });
				return { text, content: result.content, idle: session !== null };
			},
		};
	}

	#tell(number: string): Prepared | string {
		const session = this.#sessions.get(number);
		if (session === undefined) return "there are no such stubs";
		return {
			target: this.#function.name,
			async perform(content) {
				await session.tell(content);
				return { text: "", content: null };
			},
		};
	}
}

/** Whether it is a request as any other, of which the function is to hear nothing more. */
function isPlain({ entrypoint, props, rpc }: Asked): boolean {
	return entrypoint === "default" && props === "" && rpc === null;
}

export const create = (services: EdgeServices): EdgeBinding<ServiceSettings> => new ServiceBinding(services);
