import { randomUUID } from "node:crypto";
import { BuildError } from "../build/problem.ts";
import { shown } from "../config/config-file.ts";
import type { Source } from "../config/project.ts";
import { UsageError } from "../errors.ts";
import type { Deployed } from "../index.ts";
import { printable } from "../observe/printable.ts";
import type { Runtime } from "../runtime.ts";
import type { Milliseconds } from "../units.ts";
import { problemsOf } from "./collect.ts";

/** A longer problem is cut: it is a line of the log with every request that gets `startup_failed` for it. */
const MAX_PROBLEM = 10_000;

/**
 * Builds are waited for as long as another function is ready within this time. A machine on which one build takes
 * longer is a hundred times slower than usual; a function whose build does hangs.
 */
const PATIENCE_MS: Milliseconds = 10_000;

/** What became of one function of many. */
export interface Outcome {
	source: Source;
	deployed: Deployed | null;
	/** What kept it from being served, in words for a line of the log; `null` where nothing did. */
	fault: "is not served" | "does not build" | "does not start" | "is still being built" | null;
	/** Why: what is wrong with its configuration or its source, or what its top level threw. Empty where nothing is. */
	problem: string;
	/** What becomes of one that is still being built. */
	later: Promise<Outcome> | null;
}

/**
 * Deploys one function; one that cannot be answers `startup_failed` at those hostnames that it can have, and stops
 * nobody else.
 */
export async function deployOne(runtime: Runtime, source: Source): Promise<Outcome> {
	if (source.problem !== null) return standIn(runtime, source, "is not served", source.problem);
	const {
		tenant,
		name,
		path,
		config = path,
		hostnames,
		entry,
		root,
		bindings,
		limits,
		triggers,
		assets,
		metadataBinding,
	} = source;
	const metadata = { id: randomUUID(), tag: "", timestamp: new Date().toISOString() };
	const env = metadataBinding === "" ? source.env : { ...source.env, [metadataBinding]: metadata };
	const options = {
		tenant,
		name,
		hostnames,
		root,
		env,
		bindings,
		limits,
		triggers,
		...(entry !== null && { entry: shown(entry) }),
		...(assets !== null && { assets: { ...assets, directory: shown(assets.directory) } }),
	};
	try {
		const deployed = await runtime.deploy(options);
		const { startFailure } = deployed;
		if (startFailure === null) return { source, deployed, fault: null, problem: "", later: null };
		return { source, deployed, fault: "does not start", problem: printable(startFailure), later: null };
	} catch (error) {
		if (error instanceof BuildError) return standIn(runtime, source, "does not build", problemsOf(error, source));
		const why = error instanceof UsageError ? error.message : String((error as Error).stack);
		return standIn(runtime, source, "is not served", `${shown(config)}: ${why}`);
	}
}

function standIn(runtime: Runtime, source: Source, fault: Outcome["fault"], why: string): Outcome {
	const { tenant, name, hostnames } = source;
	const problem = printable(why.length > MAX_PROBLEM ? `${why.slice(0, MAX_PROBLEM)}…` : why);
	// One without a name that could be told, or that has no hostname, is reported and no more.
	if (hostnames.length > 0) runtime.deployBroken({ tenant, name, hostnames }, problem);
	return { source, deployed: null, fault, problem, later: null };
}

/** Deploys go on for one that takes long: until it is built it answers `building`. */
function whileBuilding(runtime: Runtime, source: Source, later: Promise<Outcome>): Outcome {
	const { tenant, name, hostnames } = source;
	runtime.deployUnbuilt({ tenant, name, hostnames });
	const problem = "it takes long, answers building until then, and is served once it is built";
	return { source, deployed: null, fault: "is still being built", problem, later };
}

/**
 * Deploys many functions, all at once as far as the builders go; those that are broken come last, so that they take no
 * hostname from the others. Waits for all but those that take long, which hold up nobody else. `progress` is told after
 * each.
 */
export async function deployAll(
	runtime: Runtime,
	sources: Source[],
	progress: (done: number) => void,
	patienceMs = PATIENCE_MS,
): Promise<Outcome[]> {
	const ended = new Map<Source, Outcome>();
	const { promise: runOut, resolve } = Promise.withResolvers<void>();
	const patience = setTimeout(resolve, patienceMs);
	const ordered = [
		...sources.filter(({ problem }) => problem === null),
		...sources.filter(({ problem }) => problem !== null),
	];
	const builds = ordered.map(async (source) => {
		const outcome = await deployOne(runtime, source);
		ended.set(source, outcome);
		if (outcome.fault === null) patience.refresh();
		progress(ended.size);
		return outcome;
	});
	await Promise.race([Promise.all(builds), runOut]);
	clearTimeout(patience);
	return ordered.map((source, i) => ended.get(source) ?? whileBuilding(runtime, source, builds[i]));
}
