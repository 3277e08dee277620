import type { Source } from "../config/project.ts";
import { UsageError } from "../errors.ts";
import { createRuntime } from "../index.ts";
import { spreadLastNet } from "../observe/last-net.ts";
import { type CliLogger, createLogger } from "../observe/logger.ts";
import { label } from "../observe/printable.ts";
import { LAYERS, type Layer } from "../processes/containment.ts";
import { giveBackWhenQuiet } from "../processes/spare-memory.ts";
import type { Runtime } from "../runtime.ts";
import { HttpServer } from "../server/http-server.ts";
import { serverAt } from "../supervisor/pid-file.ts";
import type { Milliseconds } from "../units.ts";
import { version } from "../version.ts";
import { checkGrants, collect, refuseIfAllFailed } from "./collect.ts";
import { deployAll, type Outcome } from "./deploy-all.ts";
import { applySources } from "./event-sources.ts";
import { eventsByHand } from "./events-by-hand.ts";
import { type Flags, runtimeOptions } from "./flags.ts";

/** What is served, from the time it is up. */
export interface Serving {
	runtime: Runtime;
	logger: CliLogger;
	outcomes: Outcome[];
}

/** Where a function is reached, as a person would type it. */
function address({ hostnames: [first] }: Source, { host }: Flags, port: number): string {
	if (first === undefined) return "";
	const name =
		first === "*"
			? host === "0.0.0.0" || host === "::" || host === "127.0.0.1" || host === "::1"
				? "localhost"
				: host
			: first.replace(/^\*\./, "any.");
	return `http://${name.includes(":") ? `[${name}]` : name}${port === 80 ? "" : `:${port}`}`;
}

/** Throws UsageError where an `atoll up` is at work on a data folder: it alone knows what there is of each function. */
function refuseTakenFolder(data: string): void {
	const pid = serverAt(data);
	if (pid !== null)
		throw new UsageError(
			`another atoll is at work on the data folder ${data} (\`atoll up\`, process ${pid}); name another one with --data`,
			"data_unusable",
		);
}

/** Builds and serves functions until a signal ends it. `started` is called once everything is up. */
export async function run(
	flags: Flags,
	development: boolean,
	started: (serving: Serving) => (() => Promise<void>) | undefined,
): Promise<void> {
	const began = performance.now();
	const terminal = process.stdout.isTTY === true;
	refuseTakenFolder(flags.data ?? ".atoll");
	const sources = collect(flags);
	checkGrants(flags, sources);
	refuseIfAllFailed(sources.map(({ problem }) => problem));
	const logger = createLogger();
	for (const source of sources)
		if (source.problem === null) for (const warning of source.warnings) logger.warn({}, warning);
	const runtime = await createRuntime({ ...runtimeOptions(flags, sources), logger, development });
	const handlers = development ? eventsByHand(runtime) : runtime;
	const server = new HttpServer(runtime.receiving(flags.eventsHostname, handlers));
	let stopping = false;
	try {
		const progress = (done: number) => {
			if (terminal)
				process.stdout.write(`\r\x1b[Kbuilding ${done}/${sources.length}${done === sources.length ? "\r\x1b[K" : ""}`);
		};
		const outcomes = await deployAll(runtime, sources, progress);
		refuseIfAllFailed(outcomes.map(({ fault, problem }) => (fault === "is not served" ? problem : null)));
		for (const problem of applySources(runtime, sources)) logger.warn({}, problem);
		const { port } = await server.listen(flags.port, flags.host);
		announce({ outcomes, flags, port, logger, terminal, readyMs: performance.now() - began, runtime });
		for (const { later } of outcomes) void later?.then((outcome) => stopping || announceLater(outcome, logger));
		const stopExtra = started({ runtime, logger, outcomes });
		giveBackWhenQuiet(() => runtime.inFlight === 0);
		const takeNetAway = spreadLastNet(logger);
		await untilSignal(terminal);
		await stopExtra?.();
		takeNetAway();
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "EADDRINUSE")
			throw new UsageError(`port ${flags.port} on ${flags.host} is already in use; choose another with --port`);
		if (code === "EACCES")
			throw new UsageError(`port ${flags.port} may not be used by this user; choose one above 1023 with --port`);
		if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
			throw new UsageError(`${flags.host} is not an address of this machine`);
		throw error;
	} finally {
		stopping = true;
		await server.close();
		await runtime.close();
		await logger.close();
	}
}

/** What is told of a server that is ready. */
interface Announcement {
	outcomes: Outcome[];
	flags: Flags;
	port: number;
	logger: CliLogger;
	terminal: boolean;
	readyMs: Milliseconds;
	runtime: Runtime;
}

function announce({ outcomes, flags, port, logger, terminal, readyMs, runtime }: Announcement): void {
	const broken = outcomes.filter(({ fault }) => fault !== null);
	if (!terminal) {
		for (const { source, deployed, fault, problem, later } of outcomes) {
			const { tenant, name } = source;
			const fields = { tenant, function: name, version: deployed?.version ?? "", url: address(source, flags, port) };
			if (fault === null) logger.info(fields, "serving");
			else if (later !== null) logger.warn({ ...fields, problem }, fault);
			else logger.error({ ...fields, problem }, fault);
		}
		const building = broken.filter(({ later }) => later !== null).length;
		const counts = { functions: outcomes.length, broken: broken.length - building, building };
		const fields = { ...counts, readyMs: Math.round(readyMs) };
		logger.info({ ...fields, containment: runtime.containment }, "ready");
		return;
	}
	const { sandboxes } = runtime.stats();
	const where =
		sandboxes === 0 ? "inline, in this process" : `${sandboxes} sandbox${sandboxes === 1 ? "" : "es"} and a spare`;
	console.log(`\natoll ${version()}, ${where}\n${layers(runtime)}\n`);
	const width = Math.max(...outcomes.map(({ source }) => label(source).length));
	for (const { source, fault } of outcomes) {
		console.log(`  ${fault === null ? " " : "✗"} ${label(source).padEnd(width)}  ${address(source, flags, port)}`);
	}
	for (const { source, fault, problem } of broken)
		console.log(`\n✗ ${label(source)} ${fault}:\n\n${problem.replace(/^/gm, "  ")}`);
	console.log(`\nready in ${Math.round(readyMs)} ms; Ctrl-C stops\n`);
}

/** Tells of a function whose build was not waited for. */
function announceLater({ source: { tenant, name }, fault, problem }: Outcome, logger: CliLogger): void {
	const fields = { tenant, function: name };
	if (fault === null) logger.info(fields, "built, and served");
	else logger.error(fields, `${fault}:\n${problem}`);
}

/** What stands between functions and the machine, and what does not and why. */
function layers({ containment }: Runtime): string {
	if (containment === null) return "containment: isolates only, for trusted code";
	const all = Object.entries(LAYERS) as [Layer, string][];
	const on = all.filter(([layer]) => containment[layer]).map(([, name]) => name);
	const lines = [`containment: ${["isolates, processes, permission model, priority", ...on].join(", ")}`];
	// By reason: one that is missing, such as bubblewrap, is missing for several.
	const off = Map.groupBy(
		all.filter(([layer]) => !containment[layer] && layer !== "cgroup"),
		([layer]) => containment.why[layer],
	);
	for (const [why, missing] of off) lines.push(`not here: ${missing.map(([, name]) => name).join(", ")} (${why})`);
	return lines.join("\n");
}

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once. */
function untilSignal(terminal: boolean): Promise<void> {
	return new Promise((resolve) => {
		const stop = () => {
			for (const signal of ["SIGINT", "SIGTERM"] as const) {
				process.off(signal, stop);
				process.once(signal, () => process.exit(130));
			}
			if (terminal) console.log("\nfinishing the requests in flight; Ctrl-C again ends it at once");
			resolve();
		};
		process.once("SIGINT", stop);
		process.once("SIGTERM", stop);
	});
}

/** `atoll serve` */
export async function serve(flags: Flags): Promise<void> {
	await run(flags, false, () => undefined);
}
