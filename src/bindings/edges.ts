import { existsSync } from "node:fs";
import type { ZodError } from "zod";
import type { Sites } from "../assets/sites.ts";
import { UsageError } from "../errors.ts";
import type { BindingNumber } from "../link/calls.ts";
import type { TenantName } from "../names.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { StoredData } from "../stores/data-process.ts";
import type { SqlProcesses } from "../stores/sql-processes.ts";
import type { StoredIn } from "../stores/storage-rule.ts";
import type { Bytes } from "../units.ts";
import type { Bound, Caller, EdgeBinding, GivenBindings, OpenBinding } from "./binding.ts";
import type { Egress } from "./fetch/edge/egress.ts";
import { bindingFolders } from "./folders.ts";
import type { Functions } from "./functions.ts";
import { bindingOf } from "./numbers.ts";
import { GLOBALS } from "./registry.ts";
import type { Telling } from "./telling.ts";

/** What calls functions when something changes that is stored. */
export interface StorageTriggers {
	/** How changes are told of that a function makes to one of its tenant's buckets or namespaces, by the rules as of now. */
	tellingOf(caller: Caller, stored: StoredIn, trace: TraceContext): Telling;
}

/** What the edge offers to bindings. */
export interface EdgeServices {
	functions: Functions;
	egress: Egress;
	sites: Sites;
	data: StoredData;
	sql: SqlProcesses;
	/** How much a tenant may store, in all that its functions are bound to. */
	storedBytes: Bytes;
	/** How much is kept in a tenant's caches. */
	cachedBytes: Bytes;
	/** Told of a queue that has messages. */
	onQueued: (tenant: TenantName, queue: string, messages: number) => void;
	storage: StorageTriggers;
}

/** What a folder's `edge.ts` exports. */
interface EdgeModule {
	create(services: EdgeServices): EdgeBinding;
}

/** Each has a number of four digits on the link (`link/calls.ts`), and a stub in each isolate. */
const MOST_BINDINGS = 1000;
const NAME = /^[A-Za-z_$][\w$]{0,99}$/;

/** The edge's sides of all bindings. */
export class Bindings {
	readonly #edges: ReadonlyMap<string, EdgeBinding>;

	private constructor(edges: ReadonlyMap<string, EdgeBinding>) {
		this.#edges = edges;
	}

	static async load(services: EdgeServices): Promise<Bindings> {
		const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
		const sides = [...bindingFolders()]
			.map(([name, folder]) => ({ name, file: new URL(`edge${extension}`, folder) }))
			.filter(({ file }) => existsSync(file));
		const edges = sides.map(async ({ name, file }): Promise<[string, EdgeBinding]> => {
			const { create } = (await import(file.href)) as EdgeModule;
			return [name, create(services)];
		});
		return new Bindings(new Map(await Promise.all(edges)));
	}

	/** Those by which settings are checked where no function runs: none of them is ever opened. */
	static loadForChecks(): Promise<Bindings> {
		return Bindings.load({} as EdgeServices);
	}

	/**
	 * Checks what a deployment says of its bindings, by their names in `env`, in which its variables are already.
	 * Throws UsageError that names the binding and what is wrong.
	 */
	check(given: GivenBindings, env: object): Bound[] {
		if (Object.keys(given).length > MOST_BINDINGS)
			throw new UsageError(`bindings: there are more than ${MOST_BINDINGS} of them`);
		return Object.entries(given).map(([name, { type, ...said }]) => {
			if (!NAME.test(name)) throw new UsageError(`bindings.${name}: it must be a name as JavaScript has them`);
			if (Object.hasOwn(env, name)) throw new UsageError(`bindings.${name}: there is a variable of this name`);
			const edge = GLOBALS.includes(type) ? undefined : this.#edges.get(type);
			if (edge === undefined) {
				const known = [...this.#edges.keys()].filter((one) => !GLOBALS.includes(one));
				throw new UsageError(`bindings.${name}: there is no binding of the type ${type}, only ${known.join(", ")}`);
			}
			const { success, data: settings, error } = edge.settings.safeParse(said);
			if (!success) throw new UsageError(`bindings.${name}: ${problemsOf(error)}`);
			return { name, type, settings };
		});
	}

	/** The binding of a number, opened for a caller whose bindings these are; `null` where there is none. */
	open(number: BindingNumber, bound: readonly Bound[], caller: Caller): OpenBinding | null {
		const { type, settings } = bindingOf(number, bound);
		return this.#edges.get(type)?.open(settings, caller) ?? null;
	}

	async close(): Promise<void> {
		await Promise.all([...this.#edges.values()].map((edge) => edge.close?.()));
	}
}

function problemsOf({ issues }: ZodError): string {
	return issues.map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`)).join("; ");
}
