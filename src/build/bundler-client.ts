import { relative } from "node:path";
import { Places } from "../limits/places.ts";
import { BuildKind, type BuildMessage, readBuildMessage, writeBuildMessage } from "../link/build-frames.ts";
import { Child } from "../processes/child.ts";
import { confinedBundler } from "../processes/confinement.ts";
import { BELOW_EDGE, type Launcher, niceness } from "../processes/launcher.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import type { Bundle, BundleRequest } from "./bundle.ts";
import type { ModuleRequest } from "./conversion.ts";
import { viewOf } from "./view.ts";

const MAX_WALL_MS: Milliseconds = 30_000;
/** Of the bundler together with its esbuild service. */
const MAX_BYTES: Bytes = 2 * 2 ** 30;
const MAX_FRAME_BYTES: Bytes = 256 * 2 ** 20;
/** So many jobs are with the bundler at a time. */
const PLACES = 8;

interface Job {
	/** The main module as messages name it. */
	file: string;
	message: Partial<BuildMessage> & { kind: number };
	resolve: (bundle: Bundle | null) => void;
	/** When it takes too long; from its start on. */
	deadline: number;
}

/**
 * Bundles in a process of its own: started when there is something to bundle, and kept a while for the next. All
 * share it, so that what one source does to it would be felt by those beside it: where it ends, each of them is tried
 * again, alone.
 */
export class Bundler {
	readonly #launcher: Launcher;
	readonly #idleMs: Milliseconds;
	/** The folders that sources lie in, which are all that it sees behind bubblewrap. */
	readonly #folders: readonly string[] | null;
	#child: Child | null = null;
	/** What the bundler was shown when it was started. */
	#viewKey = "";
	#next = 1;
	readonly #places = new Places(PLACES);
	readonly #running = new Map<number, Job>();
	/** Those under which a bundler has ended. As long as there are any, one job runs at a time. */
	#suspects: Job[] = [];
	#waiting: Job[] = [];
	#idle: NodeJS.Timeout | null = null;

	/** An idle bundler is kept for `idleMs`. Sources lie in these folders, or anywhere where they are `null`. */
	constructor(launcher: Launcher, idleMs: Milliseconds, folders: readonly string[] | null = null) {
		this.#folders = folders;
		this.#launcher = launcher;
		this.#idleMs = idleMs;
	}

	/** Bundles once it is the tenant's turn. */
	async bundle(tenant: string, request: BundleRequest): Promise<Bundle> {
		const message = { kind: BuildKind.bundle, text: JSON.stringify(request) };
		return (await this.#ask(tenant, fileOf(request), message)) as Bundle;
	}

	/** Converts a module once it is the tenant's turn; gives `null` where that has to be bundled. */
	convert(tenant: string, { path, source }: ModuleRequest): Promise<Bundle | null> {
		return this.#ask(tenant, path, { kind: BuildKind.convert, text: path, data: source });
	}

	async #ask(tenant: string, file: string, message: Job["message"]): Promise<Bundle | null> {
		if (!(await this.#places.take(tenant))) return failed(file, CLOSING);
		const { promise, resolve } = Promise.withResolvers<Bundle | null>();
		this.#waiting.push({ file, message, resolve, deadline: 0 });
		this.#run();
		try {
			return await promise;
		} finally {
			this.#places.giveBack(tenant);
		}
	}

	/** Starts what may start. */
	#run(): void {
		if (this.#suspects.length === 0) for (const job of this.#waiting.splice(0)) this.#start(job);
		else if (this.#running.size === 0) this.#start(this.#suspects[0]);
		if (this.#running.size > 0) return;
		this.#child?.watch(false);
		this.#idle ??= setTimeout(() => void this.close(), this.#idleMs).unref();
	}

	#start(job: Job): void {
		if (this.#idle !== null) clearTimeout(this.#idle);
		this.#idle = null;
		this.#child = this.#current() ?? this.#launch();
		const id = this.#next++;
		job.deadline = Date.now() + MAX_WALL_MS;
		this.#running.set(id, job);
		writeBuildMessage(this.#child.writer, { ...job.message, job: id });
		this.#child.watch(true);
	}

	/** A bundler that is idle sees a folder that has been replaced as it was before, and is started anew. */
	#current(): Child | null {
		const child = this.#child;
		if (child === null || this.#running.size > 0 || viewOf(this.#folders).key === this.#viewKey) return child;
		void child.close({ gently: true });
		return null;
	}

	#launch(): Child {
		const { reads, key } = viewOf(this.#folders);
		this.#viewKey = key;
		const child: Child = new Child(
			this.#launcher,
			{
				launch: { ...confinedBundler(reads), niceness: niceness(BELOW_EDGE), file: null },
				maxFrameBytes: MAX_FRAME_BYTES,
				maxBytes: MAX_BYTES,
			},
			{
				onFrame: (frame) => {
					const { job, data } = readBuildMessage(frame);
					this.#onBundle(job, JSON.parse(data.toString()) as Bundle | null);
				},
				overdue: () => ([...this.#running.values()].some(isLate) ? `it took more than ${MAX_WALL_MS / 1000} s` : null),
				onEnded: (why, unasked) => this.#lost(child, unasked ? `the bundler was lost (${why})` : why),
			},
		);
		return child;
	}

	#onBundle(id: number, bundle: Bundle | null): void {
		const job = this.#running.get(id);
		this.#running.delete(id);
		if (job !== undefined) this.#finish(job, bundle);
		this.#run();
	}

	#finish(job: Job, bundle: Bundle | null): void {
		this.#suspects = this.#suspects.filter((suspect) => suspect !== job);
		job.resolve(bundle);
	}

	/** The bundler is gone. Who was alone with it, or took too long, has failed. */
	#lost(child: Child, why: string): void {
		if (this.#child !== child) return;
		this.#child = null;
		const jobs = [...this.#running.values()];
		this.#running.clear();
		for (const job of jobs) {
			if (jobs.length === 1 || isLate(job)) this.#finish(job, failed(job.file, why));
			else this.#suspects.push(job);
		}
		this.#run();
	}

	/** Ends the bundler; what it has not finished has failed. */
	async close(): Promise<void> {
		if (this.#idle !== null) clearTimeout(this.#idle);
		this.#idle = null;
		this.#places.sendAway();
		for (const job of new Set([...this.#running.values(), ...this.#suspects, ...this.#waiting]))
			job.resolve(failed(job.file, CLOSING));
		this.#running.clear();
		this.#suspects = this.#waiting = [];
		const child = this.#child;
		this.#child = null;
		// It keeps what it has compiled.
		await child?.close({ gently: true });
	}
}

const CLOSING = "the runtime is closing";

function isLate({ deadline }: Job): boolean {
	return Date.now() > deadline;
}

function fileOf({ entry, cwd }: BundleRequest): string {
	return relative(cwd, entry);
}

function failed(file: string, why: string): Bundle {
	return { ok: false, problems: [{ text: `the function could not be bundled: ${why}`, file }], inputs: [file] };
}
