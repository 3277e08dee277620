import { randomUUID } from "node:crypto";
import type { GivenBindings } from "../../bindings/binding.ts";
import { problemOfShares } from "../../deployments/release.ts";
import type { Sticky } from "../../deployments/stickiness.ts";
import { type FunctionId, keyOf } from "../../names.ts";
import { NO_TRIGGERS, type TriggersPatch } from "../../triggers/trigger-settings.ts";
import { ControlError } from "../control-error.ts";
import { type KvNamespaces, resolveTriggers } from "../kv/namespaces.ts";
import {
	type Alias,
	type FunctionDocument,
	PRODUCTION,
	type ReleaseDocument,
	type ReleasedShare,
	type VersionDocument,
} from "../store/documents.ts";
import type { Change, Sequence } from "../store/store.ts";
import type { BoundStores } from "../titled-stores.ts";
import type { VersionUploads } from "../uploads/version-uploads.ts";
import { type Catalog, refuseIfMissing } from "./catalog.ts";
import type { Keeping } from "./keeping.ts";
import { queuesIn } from "./queue-policy.ts";

const MOST_ALIASES = 50;
const ALIAS = /^[a-z](?:[a-z0-9]|-(?!-)){0,30}[a-z0-9]$/;

/** Which versions to release, and under which alias. */
export interface ReleaseRequest {
	/** Default: `production`, which gets the function's traffic. */
	alias?: Alias | undefined;
	shares: readonly ReleasedShare[];
	/** Default: each request is for itself. */
	sticky?: Sticky | null | undefined;
	/** What calls the function from now on, for `production` alone. Default: what does. */
	triggers?: TriggersPatch | undefined;
	message: string;
	source: string;
}

/** A release that was made, and the commit that it is served by. */
export interface Released {
	release: ReleaseDocument;
	sequence: Sequence;
}

/** What releases are made with. */
export interface ReleasesParts {
	catalog: Catalog;
	versions: VersionUploads;
	keeping: Keeping;
	bound: BoundStores;
	namespaces: KvNamespaces;
}

/** Says which versions get a function's traffic, and goes back to what was. */
export class Releases {
	readonly #catalog: Catalog;
	readonly #versions: VersionUploads;
	readonly #keeping: Keeping;
	readonly #bound: BoundStores;
	readonly #namespaces: KvNamespaces;

	constructor({ catalog, versions, keeping, bound, namespaces }: ReleasesParts) {
		this.#catalog = catalog;
		this.#versions = versions;
		this.#keeping = keeping;
		this.#bound = bound;
		this.#namespaces = namespaces;
	}

	/**
	 * Has versions get the traffic of an alias. Throws ControlError `invalid` for shares that do not add up to 100, and
	 * for triggers that one of them has no handler for, `conflict` for a queue that another function consumes,
	 * `does_not_start` for a version that fails with the variables and secrets of now, and `unknown_namespace`,
	 * `unknown_database` or `unknown_bucket` for one that is bound to what was removed; what was served goes on then.
	 */
	async release(actor: string, id: FunctionId, request: ReleaseRequest): Promise<Released> {
		const { alias = PRODUCTION, sticky = null, message, source } = request;
		const triggers = await resolveTriggers(this.#namespaces, id.tenant, request.triggers ?? {});
		if (!ALIAS.test(alias))
			throw new ControlError(
				"invalid",
				`the alias ${JSON.stringify(alias)} must be 2 to 32 lower-case letters, digits and -, with a letter first and no two - in a row`,
			);
		const { value: one } = await this.#catalog.find(id);
		if (!Object.hasOwn(one.aliases, alias) && Object.keys(one.aliases).length >= MOST_ALIASES)
			throw new ControlError("invalid", `a function may have ${MOST_ALIASES} aliases at most`);
		if (alias !== PRODUCTION && Object.keys(triggers).length > 0)
			throw new ControlError("invalid", `triggers: they call what ${PRODUCTION} stands for, and not ${alias}`);
		// Before anything is looked for: there may be many of them.
		refuseIfProblem(request.shares);
		const versions: VersionDocument[] = [];
		for (const { version } of request.shares) versions.push(await this.#catalog.version(id, version));
		const shares = versions.map(({ id: version }, i): ReleasedShare => {
			const { percent } = request.shares[i];
			return { version, percent };
		});
		refuseIfProblem(shares);
		for (const [i, version] of versions.entries()) {
			if (shares[i].percent === 0) continue;
			refuseIfMissing(version, { ...NO_TRIGGERS, ...triggers });
			await this.#versions.tryStart(one, version);
		}
		const release: ReleaseDocument = {
			id: randomUUID(),
			alias,
			shares,
			sticky,
			message,
			author: actor,
			source,
			created: new Date().toISOString(),
		};
		return { release, sequence: await this.#put(actor, id, release, triggers) };
	}

	/**
	 * Goes back to the versions of the release before, or to one version that is named. Throws ControlError
	 * `not_found` where there is none.
	 */
	async rollback(
		actor: string,
		id: FunctionId,
		to: { version?: string; alias?: Alias; message: string },
	): Promise<Released> {
		const { version, alias = PRODUCTION, message } = to;
		const source = "rollback";
		if (version !== undefined)
			return this.release(actor, id, { alias, shares: [{ version, percent: 100 }], message, source });
		const { value: one } = await this.#catalog.find(id);
		const now = JSON.stringify((await this.#catalog.released(one, alias))?.shares);
		const before = (await this.#catalog.releases(id, alias)).find(({ shares }) => JSON.stringify(shares) !== now);
		if (before === undefined)
			throw new ControlError("not_found", `${alias} of ${id.name} has no release before this one`);
		return this.release(actor, id, { alias, shares: before.shares, sticky: before.sticky, message, source });
	}

	/** Takes an alias away. Its traffic goes by `production`, which stays. */
	async removeAlias(actor: string, id: FunctionId, alias: Alias): Promise<Sequence> {
		if (alias === PRODUCTION) throw new ControlError("invalid", `${PRODUCTION} stays as long as its function`);
		const change = (one: FunctionDocument) => {
			const { [alias]: _, ...aliases } = one.aliases;
			if (!Object.hasOwn(one.aliases, alias)) throw new ControlError("not_found", `${id.name} has no alias ${alias}`);
			return { value: { ...one, aliases } };
		};
		return (await this.#catalog.change({ actor, action: "alias.remove" }, id, change)).sequence;
	}

	async #put(actor: string, id: FunctionId, release: ReleaseDocument, triggers: TriggersPatch): Promise<Sequence> {
		const { crons, queues, storage } = triggers;
		const change = async (one: FunctionDocument) => {
			const bound: GivenBindings[] = [];
			for (const { version } of release.shares) bound.push((await this.#catalog.version(id, version)).bindings);
			const value = {
				...{ ...one, aliases: { ...one.aliases, [release.alias]: release.id } },
				...(crons !== undefined && { schedules: crons }),
				...(queues !== undefined && { consumers: queues }),
				...(storage !== undefined && { storage }),
			};
			const beside: Change[] = [
				{ kind: "release", key: `${keyOf(id)}/${release.id}`, value: release, expected: 0 },
				...(await this.#keeping.outdated(value, { release })),
				...(await this.#bound.claims(id.tenant, bound)),
				...(await this.#catalog.queues.claims(one, value, bound.flatMap(queuesIn))),
			];
			return { value, beside };
		};
		return (await this.#catalog.change({ actor, action: `release.${release.alias}` }, id, change)).sequence;
	}
}

function refuseIfProblem(shares: readonly ReleasedShare[]): void {
	const problem = problemOfShares(shares.map(({ version, percent }) => ({ id: version, percent })));
	if (problem !== null) throw new ControlError("invalid", problem);
}
