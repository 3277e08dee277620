import { readFileSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import type { Socket } from "node:net";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { FrameReader, FrameWriter } from "../link/frames.ts";
import { BELOW_EDGE, type LaunchedProcess, type Launcher, niceness } from "../processes/launcher.ts";
import { residentBytes } from "../processes/resident.ts";
import type { Milliseconds } from "../units.ts";
import type { Bundle, BundleRequest } from "./bundle.ts";
import { BuildFrame } from "./messages.ts";

const MAX_WALL_MS = 30_000;
const MAX_RSS_BYTES = 2 * 1024 * 1024 * 1024;
const WATCH_MS = 200;

const self = fileURLToPath(import.meta.url);
const entry = self.replace(/bundler-client(\.[jt]s)$/, "bundler$1");

interface Job {
	request: BundleRequest;
	resolve: (bundle: Bundle) => void;
	/** When it takes too long; from its start on. */
	deadline: number;
}

/** The bundler process, with what it is asked over its link. */
class BundlerProcess {
	readonly process: LaunchedProcess;
	readonly #writer = new FrameWriter();
	#link: Socket | null = null;
	#closing = false;

	constructor(launcher: Launcher, onBundle: (id: number, bundle: Bundle) => void, onEnded: (how: string) => void) {
		const reader = new FrameReader(256 * 1024 * 1024, ({ attempt: id, data }) =>
			onBundle(id, JSON.parse((data as Buffer).toString()) as Bundle),
		);
		const env: Record<string, string> = { PATH: process.env.PATH ?? "" };
		const compileCache = getCompileCacheDir();
		if (compileCache !== undefined) env.NODE_COMPILE_CACHE = compileCache;
		this.process = launcher.launch(
			{ command: process.execPath, args: [entry], env, niceness: niceness(BELOW_EDGE), file: null },
			{
				onLaunched: (_, link) => {
					this.#link = link;
					link.on("data", (chunk: Buffer) => reader.read(chunk));
					link.on("error", () => this.process.kill());
					this.#writer.open(link);
					if (this.#closing) link.destroy();
				},
				onEnded,
			},
		);
	}

	ask(id: number, request: BundleRequest): void {
		this.#writer.write(BuildFrame.bundle, id, 0, 0, JSON.stringify(request));
	}

	/** Lets it end by itself, so that it keeps what it has compiled. */
	async close(): Promise<void> {
		this.#closing = true;
		this.#link?.destroy();
		await this.process.exited;
	}
}

/**
 * Bundles in a process of its own: started when there is something to bundle, and kept a while for the next. All share it, so that
 * what one source does to it would be felt by those beside it: where it ends, each of them is tried again, alone.
 */
export class Bundler {
	readonly #launcher: Launcher;
	readonly #idleMs: Milliseconds;
	#child: BundlerProcess | null = null;
	#next = 1;
	readonly #running = new Map<number, Job>();
	/** Those under which a bundler has ended. As long as there are any, one job runs at a time. */
	#suspects: Job[] = [];
	#waiting: Job[] = [];
	#idle: NodeJS.Timeout | null = null;
	#watch: NodeJS.Timeout | null = null;

	/** An idle bundler is kept for `idleMs`. */
	constructor(launcher: Launcher, idleMs: Milliseconds) {
		this.#launcher = launcher;
		this.#idleMs = idleMs;
	}

	bundle(request: BundleRequest): Promise<Bundle> {
		const { promise, resolve } = Promise.withResolvers<Bundle>();
		this.#waiting.push({ request, resolve, deadline: 0 });
		this.#run();
		return promise;
	}

	/** Starts what may start. */
	#run(): void {
		if (this.#suspects.length === 0) for (const job of this.#waiting.splice(0)) this.#start(job);
		else if (this.#running.size === 0) this.#start(this.#suspects[0]);
		if (this.#running.size > 0) return;
		if (this.#watch !== null) clearInterval(this.#watch);
		this.#watch = null;
		this.#idle ??= setTimeout(() => void this.close(), this.#idleMs).unref();
	}

	#start(job: Job): void {
		if (this.#idle !== null) clearTimeout(this.#idle);
		this.#idle = null;
		this.#child ??= this.#launch();
		const id = this.#next++;
		job.deadline = Date.now() + MAX_WALL_MS;
		this.#running.set(id, job);
		this.#watch ??= setInterval(() => this.#check(), WATCH_MS);
		this.#child.ask(id, job.request);
	}

	#launch(): BundlerProcess {
		const child: BundlerProcess = new BundlerProcess(
			this.#launcher,
			(id, bundle) => {
				const job = this.#running.get(id);
				this.#running.delete(id);
				if (job !== undefined) this.#finish(job, bundle);
				this.#run();
			},
			(how) => this.#lost(child, `the bundler was lost (${how})`),
		);
		return child;
	}

	#finish(job: Job, bundle: Bundle): void {
		this.#suspects = this.#suspects.filter((suspect) => suspect !== job);
		job.resolve(bundle);
	}

	/** The bundler is gone. Who was alone with it, or is known to be why, has failed. */
	#lost(child: BundlerProcess, why: string, isWhy: (job: Job) => boolean = () => false): void {
		if (this.#child !== child) return;
		this.#child = null;
		const jobs = [...this.#running.values()];
		this.#running.clear();
		for (const job of jobs) {
			if (jobs.length === 1 || isWhy(job)) this.#finish(job, failed(job, why));
			else this.#suspects.push(job);
		}
		this.#run();
	}

	/** Ends the bundler with its esbuild service if a job takes too long or both together are too large. */
	#check(): void {
		const child = this.#child;
		if (child === null || child.process.pid === 0) return;
		const { pid } = child.process;
		const isLate = ({ deadline }: Job) => Date.now() > deadline;
		const late = [...this.#running.values()].some(isLate);
		const large = [pid, ...childrenOf(pid)].reduce((sum, one) => sum + residentBytes(one), 0) > MAX_RSS_BYTES;
		if (!late && !large) return;
		child.process.kill();
		if (late) this.#lost(child, `it took more than ${MAX_WALL_MS / 1000} s`, isLate);
		else this.#lost(child, `it needed more than ${MAX_RSS_BYTES / 2 ** 20} MB of memory`);
	}

	/** Ends the bundler; what it has not finished has failed. */
	async close(): Promise<void> {
		if (this.#idle !== null) clearTimeout(this.#idle);
		if (this.#watch !== null) clearInterval(this.#watch);
		this.#idle = this.#watch = null;
		for (const job of new Set([...this.#running.values(), ...this.#suspects, ...this.#waiting]))
			job.resolve(failed(job, "the runtime is closing"));
		this.#running.clear();
		this.#suspects = this.#waiting = [];
		const child = this.#child;
		this.#child = null;
		await child?.close();
	}
}

function failed({ request: { entry, cwd } }: Job, why: string): Bundle {
	const file = relative(cwd, entry);
	return { ok: false, problems: [{ text: `the function could not be bundled: ${why}`, file }], inputs: [file] };
}

function childrenOf(pid: number): number[] {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
	} catch {
		return []; // No /proc, or the process has just ended.
	}
}
