import { relative } from "node:path";
import { BuildError } from "../build/problem.ts";
import type { FunctionSource } from "../config/project.ts";
import type { Deployed, Runtime } from "../runtime.ts";

/** What became of one function of many. */
export interface Outcome {
	source: FunctionSource;
	deployed: Deployed | null;
	/** Why it could not be built, or what its top level threw. */
	problem: string | null;
}

/** Deploys one function; one that does not build answers `startup_failed` in its place, and stops nobody else. */
export async function deployOne(runtime: Runtime, source: FunctionSource): Promise<Outcome> {
	const { name, owner, hostnames, entry, env, limits } = source;
	const options = { tenant: owner, name, hostnames, entry: relative(process.cwd(), entry) || entry, env, limits };
	try {
		const deployed = await runtime.deploy(options);
		return { source, deployed, problem: deployed.startFailure };
	} catch (error) {
		if (!(error instanceof BuildError)) throw error;
		runtime.deployBroken(options, error.message);
		return { source, deployed: null, problem: error.message };
	}
}

/** Deploys many functions, all at once as far as the builders go. `progress` is told after each. */
export async function deployAll(
	runtime: Runtime,
	sources: FunctionSource[],
	progress: (done: number) => void,
): Promise<Outcome[]> {
	let done = 0;
	return Promise.all(
		sources.map(async (source) => {
			const outcome = await deployOne(runtime, source);
			progress(++done);
			return outcome;
		}),
	);
}
