import { resolve, sep } from "node:path";
import { watch } from "chokidar";
import { shown } from "../config/config-file.ts";
import { type Source, skippedFolders } from "../config/project.ts";
import { keyOf } from "../names.ts";
import { collect } from "./collect.ts";
import { deployOne, type Outcome } from "./deploy-all.ts";
import { applySources } from "./event-sources.ts";
import type { Flags } from "./flags.ts";
import { run, type Serving } from "./serve.ts";

/** Editors save in more than one step; what comes within this many milliseconds is one change. */
const SETTLE_MS = 30;
const WATCHED = { ignoreInitial: true, ignored: /(?:^|\/)(?:node_modules|\.git|\.atoll)(?:\/|$)/ };

/** `atoll dev`: serves, rebuilds what a changed file belongs to, and shows errors with their source. */
export async function dev(flags: Flags): Promise<void> {
	await run(flags, true, (serving) => {
		const watcher = new DevWatcher(flags, serving);
		return () => watcher.close();
	});
}

class DevWatcher {
	readonly #flags: Flags;
	readonly #serving: Serving;
	readonly #watcher;
	/** Of the folders of sites, however deep these are. */
	readonly #siteWatcher = watch([], WATCHED);
	/** The files of each function: a change to one of them rebuilds it. */
	readonly #files = new Map<string, Set<string>>();
	/** Those that have been built once. */
	readonly #built = new Set<string>();
	/** Those that are still being built from when the server started: they are built anew, or go, after that. */
	readonly #building = new Map<string, Promise<void>>();
	readonly #closing = Promise.withResolvers<undefined>();
	#sources: Source[];
	#changed = new Set<string>();
	#timer: NodeJS.Timeout | null = null;
	#work: Promise<void> = Promise.resolve();

	constructor(flags: Flags, serving: Serving) {
		this.#flags = flags;
		this.#serving = serving;
		this.#sources = serving.outcomes.map(({ source }) => source);
		this.#watcher = watch(
			[...flags.paths, ...flags.tenants].map((path) => resolve(path)),
			{ ...WATCHED, depth: 5 },
		);
		for (const folder of flags.paths.flatMap(skippedFolders))
			serving.logger.warn({}, `${shown(folder)} is no function: it has no configuration, and no index file`);
		for (const outcome of serving.outcomes) {
			this.#remember(outcome);
			const { source, later } = outcome;
			if (later !== null) this.#building.set(keyOf(source), this.#finish(source, later));
		}
		for (const watcher of [this.#watcher, this.#siteWatcher]) {
			watcher.on("all", (_event, path) => this.#onChange(resolve(path)));
			watcher.on("error", (error) => serving.logger.warn({}, `cannot watch: ${(error as Error).message}`));
		}
	}

	#remember({ source, deployed }: Outcome): void {
		const before = this.#files.get(keyOf(source)) ?? [];
		// A function that does not build keeps the files it was last built from: one of them will be mended.
		const inputs = deployed === null ? [...before] : deployed.inputs.map((input) => resolve(input));
		const files = new Set([source.path, ...(source.config === undefined ? [] : [source.config]), ...inputs]);
		if (source.problem === null && source.entry !== null) files.add(source.entry);
		this.#files.set(keyOf(source), files);
		if (deployed !== null) this.#built.add(keyOf(source));
		this.#watcher.add([...files].filter((file) => !file.includes("/node_modules/")));
		if (source.problem === null && source.assets !== null) this.#siteWatcher.add(source.assets.directory);
	}

	/** Until it is built, or nobody waits for it any more. */
	async #finish(source: Source, later: Promise<Outcome>): Promise<void> {
		const outcome = await Promise.race([later, this.#closing.promise]);
		if (outcome !== undefined) this.#remember(outcome);
		this.#building.delete(keyOf(source));
	}

	#onChange(path: string): void {
		this.#changed.add(path);
		if (this.#timer !== null) clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			const changed = this.#changed;
			this.#changed = new Set();
			this.#work = this.#work.then(() => this.#apply(changed));
		}, SETTLE_MS);
	}

	async #apply(changed: Set<string>): Promise<void> {
		const { runtime, logger } = this.#serving;
		try {
			const before = new Map(this.#sources.map((source) => [source.path, source]));
			const found = collect(this.#flags);
			const paths = new Map(found.map((source) => [keyOf(source), source.path]));
			const sources = found.map((source) => asBefore(source, before.get(source.path), paths));
			const keys = new Set(sources.map(keyOf));
			for (const gone of this.#sources.filter((source) => !keys.has(keyOf(source)))) {
				await this.#building.get(keyOf(gone));
				if (this.#watcher.closed) return;
				const { tenant, name } = gone;
				await runtime.remove({ tenant, name });
				this.#files.delete(keyOf(gone));
				this.#built.delete(keyOf(gone));
				logger.info({ tenant, function: name }, "removed");
			}
			this.#sources = sources;
			const stale = sources.filter(
				(source) =>
					before.get(source.path)?.problem !== source.problem ||
					[...(this.#files.get(keyOf(source)) ?? changed)].some((file) => changed.has(file)) ||
					holdsOne(source, changed),
			);
			await Promise.all(stale.map((source) => this.#redeploy(source)));
			for (const problem of applySources(runtime, sources)) logger.warn({}, problem);
		} catch (error) {
			logger.error({}, (error as Error).message);
		}
	}

	async #redeploy(source: Source): Promise<void> {
		const { runtime, logger } = this.#serving;
		await this.#building.get(keyOf(source));
		if (this.#watcher.closed) return;
		const what = this.#built.has(keyOf(source)) ? "rebuilt" : "built";
		const began = performance.now();
		const outcome = await deployOne(runtime, source);
		this.#remember(outcome);
		const ms = Math.round(performance.now() - began);
		const { tenant, name } = source;
		if (outcome.fault === null) logger.info({ tenant, function: name }, `${what} in ${ms} ms`);
		else logger.error({ tenant, function: name }, `${outcome.fault}:\n${outcome.problem}`);
	}

	async close(): Promise<void> {
		if (this.#timer !== null) clearTimeout(this.#timer);
		await Promise.all([this.#watcher.close(), this.#siteWatcher.close()]);
		this.#closing.resolve(undefined);
		await this.#work;
	}
}

/** A function that is broken stays what it was called and where it was reached, unless another has taken its name. */
function asBefore(source: Source, before: Source | undefined, paths: ReadonlyMap<string, string>): Source {
	if (source.problem === null || before === undefined) return source;
	if ((paths.get(keyOf(before)) ?? source.path) !== source.path) return source;
	const { name, hostnames } = before;
	return { ...source, name, hostnames };
}

/** Whether one of some paths is in a function's folder of assets. */
function holdsOne(source: Source, paths: ReadonlySet<string>): boolean {
	if (source.problem !== null || source.assets === null) return false;
	const { directory } = source.assets;
	return [...paths].some((path) => path.startsWith(directory + sep));
}
