import { LRUCache } from "lru-cache";
import type { AssetsSettings } from "../assets/asset-config.ts";
import type { Bound, GivenBindings } from "../bindings/binding.ts";
import type { CheckedDeployment } from "../config/deployment.ts";
import { type FunctionError, UsageError } from "../errors.ts";
import type { Account } from "../limits/account.ts";
import type { TenantLimits } from "../limits/limits.ts";
import { FORGOTTEN_MS, Strikes } from "../limits/strikes.ts";
import type { VersionNumber } from "../link/protocol.ts";
import { DEFAULT_TENANT, type FunctionId, keyOf, type TenantName } from "../names.ts";
import { missingHandler, NO_TRIGGERS, type Triggers } from "../triggers/trigger-settings.ts";
import type { Deployments } from "./deployments.ts";
import type { Environment } from "./environment.ts";
import { EdgeFunction, type Instances, type Previews } from "./function.ts";
import { Release, type Share } from "./release.ts";
import type { ReleasedVersion } from "./released-version.ts";
import { Tenant } from "./tenant.ts";
import { Version } from "./version.ts";
import { VersionBuilder, type VersionBuilderSettings } from "./version-builder.ts";

/** Of so many functions that were removed the strikes are remembered. */
const MOST_STRUCK = 10_000;

/** What a function has beside the release that gets its traffic. */
export interface Beside {
	/** Default: none. */
	previews?: Previews;
	/** Default: as many as its requests need. */
	instances?: Instances;
	/** What calls it beside requests. Default: nothing. */
	triggers?: Triggers;
}

/** What a deployment came to. */
export interface Deployed {
	/**
	 * The version's id: a hash of its bundle and its limits. Its variables and files are not in it: deployments that
	 * differ in nothing else have one id.
	 */
	version: string;
	/** The files it was built from, relative to the working directory. */
	inputs: string[];
	/** Whether the artifact was in the cache. */
	cached: boolean;
	/**
	 * The handlers that it has, of `fetch`, `scheduled`, `queue` and `event`; none where its top level failed, so that it is
	 * not known.
	 */
	handlers: string[];
	/** Set where the function's top level failed when it was tried; requests will try again. */
	startFailure: string | null;
}

/** Which versions to release, and with which variables. */
export interface ReleaseSettings {
	/** What the handlers get as `env`; anything that JSON can hold. Default: empty. */
	env?: Record<string, unknown> | undefined;
	/** What else stands there. Default: nothing. */
	bindings?: GivenBindings | undefined;
	/** They add up to 100. */
	shares: readonly Share[];
}

export interface DeployerSettings extends VersionBuilderSettings {
	deployments: Deployments;
	/** What the edge holds. */
	account: Account;
	tenantLimits: TenantLimits;
	/** Checks what is said of bindings, beside such variables. Throws UsageError. */
	checkBindings: (given: GivenBindings, env: object) => Bound[];
	/** Told of a version that gets no more requests. */
	onWithdrawn: (number: VersionNumber) => void;
	/** Told of what calls a function beside requests from now on. */
	onTriggers: (of: FunctionId, triggers: Triggers) => void;
}

/**
 * From an upload to a function in service, in steps with a value each: upload and version, which its `versions` makes,
 * and release.
 */
export class Deployer {
	readonly versions: VersionBuilder;
	readonly #settings: DeployerSettings;
	readonly #tenants = new Map<TenantName, Tenant>();
	/** Strikes of functions that were removed, or may get some yet: who comes back under the name has them still. */
	readonly #struck = new LRUCache<string, Strikes>({ max: MOST_STRUCK, ttl: FORGOTTEN_MS });
	#functions = 0;
	#versions: VersionNumber = 0;
	#closed = false;

	constructor(settings: DeployerSettings) {
		this.#settings = settings;
		this.versions = new VersionBuilder(settings);
	}

	/** All steps in a row. Its hostnames are the function's from the first on. */
	async deploy(options: CheckedDeployment): Promise<Deployed> {
		const { claims } = this.#settings.deployments;
		const environment = this.#environment(options);
		const claimed = claims.claim(options, options.hostnames);
		try {
			const { version, inputs, cached, saved } = await this.versions.build(this.versions.upload(options));
			const release = await Release.of(withSite(environment, version, options.assets), [{ version, percent: 100 }]);
			const [{ start }] = release.shares;
			const { failure, handlers } = start;
			if (failure === null) requireHandlers(options.triggers, handlers);
			await saved;
			this.activate(release, options.hostnames, { triggers: options.triggers });
			return { version: version.id, inputs, cached, handlers, startFailure: failure?.message ?? null };
		} finally {
			claims.release(claimed);
		}
	}

	/** Says which versions of a function are to get which share of its traffic, and tries them: see `Release.of`. */
	async release(given: ReleaseSettings): Promise<Release> {
		return Release.of(this.#environment(given), given.shares);
	}

	#environment({ env = {}, bindings = {} }: Pick<ReleaseSettings, "env" | "bindings">): Environment {
		return { variables: JSON.stringify(env), bindings: this.#settings.checkBindings(bindings, env) };
	}

	/**
	 * Has the versions of a release run without traffic, so that they can be started before they get any: until the
	 * next release of the function is prepared or activated. Returns those that do not serve already: none for a
	 * function that is not in service, since there is nobody yet who would have to wait.
	 */
	prepare(release: Release): readonly ReleasedVersion[] {
		this.#refuseIfClosed();
		const one = this.#settings.deployments.get(release.function);
		if (one === undefined) return [];
		const before = one.running;
		const prepared = one.prepare(release);
		this.#exchange(before, one.running);
		return prepared;
	}

	/**
	 * Has a release get a function's traffic, at these hostnames; requests that other versions have are finished there.
	 * Previews are reached at `<their name>--<hostname>`. Throws UsageError for hostnames that the function cannot
	 * have; nothing has changed then.
	 */
	activate(release: Release, hostnames: readonly string[], beside: Beside = {}): void {
		this.#refuseIfClosed();
		this.#put(release, this.#settings.deployments.claims.claim(release.function, hostnames), beside);
	}

	/**
	 * Puts something into service that only tells why there is no version to run, at those hostnames that it can
	 * have.
	 */
	standIn(id: FunctionId, hostnames: readonly string[], why: FunctionError): void {
		const { claims } = this.#settings.deployments;
		const claimed = claims.claim(id, claims.available(id, hostnames));
		this.#put(Release.standIn(new Version(id, this.#settings.limits, why)), claimed);
	}

	/**
	 * Takes a function out of service; requests that it has are finished. Returns whether there was one of that name.
	 */
	remove(id: FunctionId): boolean {
		const { deployments } = this.#settings;
		const one = deployments.get(id);
		if (one === undefined) return false;
		deployments.remove(one);
		this.#settings.onTriggers(id, NO_TRIGGERS);
		this.#exchange(one.running, []);
		if (one.busy || one.struck(Date.now())) this.#struck.set(keyOf(id), one.strikes);
		return true;
	}

	/** From now on nothing is put into service. */
	close(): void {
		this.#closed = true;
	}

	#refuseIfClosed(): void {
		if (this.#closed) throw new UsageError("the runtime is closed", "closed");
	}

	#put(
		release: Release,
		claimed: readonly string[],
		{ previews, instances, triggers = NO_TRIGGERS }: Beside = {},
	): void {
		const { deployments } = this.#settings;
		const there = deployments.get(release.function);
		const before = there?.running ?? [];
		const one = there ?? this.#newFunction(release);
		one.activate(release, previews, instances);
		this.#exchange(before, one.running);
		deployments.put(one, claimed);
		this.#settings.onTriggers(release.function, triggers);
	}

	#newFunction(release: Release): EdgeFunction {
		const { function: id } = release;
		// What the operator's own functions do counts for each of them alone.
		const tenant = id.tenant === DEFAULT_TENANT ? null : this.#tenant(id.tenant);
		return new EdgeFunction({
			id,
			tenant,
			number: ++this.#functions,
			strikes: this.#struck.get(keyOf(id)) ?? new Strikes(),
			account: (tenant?.account ?? this.#settings.account).part(),
			release,
			nextVersion: () => ++this.#versions,
			onPreviewed: (versions) => this.#settings.deployments.exchange([], versions),
		});
	}

	#exchange(before: readonly ReleasedVersion[], after: readonly ReleasedVersion[]): void {
		const { deployments, onWithdrawn } = this.#settings;
		deployments.exchange(before, after);
		for (const version of before) {
			if (after.includes(version)) continue;
			version.withdrawn = true;
			onWithdrawn(version.number);
		}
	}

	#tenant(name: TenantName): Tenant {
		let tenant = this.#tenants.get(name);
		if (tenant === undefined) {
			const { tenantLimits, account } = this.#settings;
			tenant = new Tenant(name, this.#tenants.size + 1, tenantLimits, account.part());
			this.#tenants.set(name, tenant);
		}
		return tenant;
	}
}

/** An environment with the files of a version under the name that they are to have there. */
function withSite(environment: Environment, { site }: Version, assets: AssetsSettings | undefined): Environment {
	const { binding: name } = assets ?? {};
	if (site === null || name === undefined) return environment;
	const { manifest, config } = site;
	return {
		...environment,
		bindings: [...environment.bindings, { name, type: "assets", settings: { manifest, config } }],
	};
}

/** Throws UsageError where a function is to be called by what it has no handler for. */
function requireHandlers(triggers: Triggers = NO_TRIGGERS, handlers: readonly string[]): void {
	const problem = missingHandler(triggers, handlers);
	if (problem !== null) throw new UsageError(problem);
}
