import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";
import type { Milliseconds } from "../isolates/protocol.ts";
import { residentBytes } from "../sandbox/resident.ts";
import type { Bundle, BundleRequest } from "./bundle.ts";
import type { BundlerJob, BundlerResult } from "./bundler.ts";

const MAX_WALL_MS = 30_000;
const MAX_RSS_BYTES = 2 * 1024 * 1024 * 1024;
const WATCH_MS = 200;

const self = fileURLToPath(import.meta.url);
const entry = self.replace(/bundler-client(\.[jt]s)$/, "bundler$1");

interface Waiting {
	resolve: (bundle: Bundle) => void;
	deadline: number;
}

/** The bundler process: started when there is something to bundle, and kept a while for the next. */
export class Bundler {
	readonly #idleMs: Milliseconds;
	#child: ChildProcess | null = null;
	#next = 1;
	readonly #waiting = new Map<number, Waiting>();
	#idle: NodeJS.Timeout | null = null;
	#watch: NodeJS.Timeout | null = null;

	/** An idle bundler is kept for `idleMs`. */
	constructor(idleMs: Milliseconds) {
		this.#idleMs = idleMs;
	}

	async bundle(request: BundleRequest): Promise<Bundle> {
		if (this.#idle !== null) clearTimeout(this.#idle);
		this.#idle = null;
		const child = this.#child ?? this.#start();
		const id = this.#next++;
		const { promise, resolve } = Promise.withResolvers<Bundle>();
		this.#waiting.set(id, { resolve, deadline: Date.now() + MAX_WALL_MS });
		this.#watch ??= setInterval(() => this.#check(), WATCH_MS);
		child.send({ ...request, id } satisfies BundlerJob);
		return promise;
	}

	#start(): ChildProcess {
		const child = fork(entry, {
			env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: getCompileCacheDir() },
			execArgv: [],
			stdio: ["ignore", "ignore", "inherit", "ipc"],
		});
		child.on("message", ({ id, bundle }: BundlerResult) => this.#finish(id, bundle));
		child.on("error", (error) => this.#lost(child, error.message));
		child.on("exit", () => this.#lost(child, "the bundler ended unexpectedly"));
		this.#child = child;
		return child;
	}

	#finish(id: number, bundle: Bundle): void {
		this.#waiting.get(id)?.resolve(bundle);
		this.#waiting.delete(id);
		if (this.#waiting.size > 0) return;
		if (this.#watch !== null) clearInterval(this.#watch);
		this.#watch = null;
		this.#idle = setTimeout(() => void this.close(), this.#idleMs).unref();
	}

	#lost(child: ChildProcess, why: string): void {
		if (this.#child !== child) return;
		this.#child = null;
		for (const id of [...this.#waiting.keys()]) this.#finish(id, { ok: false, problems: [{ text: why }], inputs: [] });
	}

	/** Ends the bundler with its esbuild service if a job takes too long or both together are too large. */
	#check(): void {
		const child = this.#child;
		if (child?.pid === undefined) return;
		const late = [...this.#waiting.values()].some(({ deadline }) => Date.now() > deadline);
		const family = [child.pid, ...childrenOf(child.pid)];
		const large = family.reduce((sum, pid) => sum + residentBytes(pid), 0) > MAX_RSS_BYTES;
		if (!late && !large) return;
		child.kill("SIGKILL");
		this.#lost(
			child,
			late
				? `bundling took more than ${MAX_WALL_MS / 1000} s`
				: `bundling needed more than ${MAX_RSS_BYTES / 2 ** 20} MB of memory`,
		);
	}

	async close(): Promise<void> {
		if (this.#idle !== null) clearTimeout(this.#idle);
		if (this.#watch !== null) clearInterval(this.#watch);
		this.#idle = this.#watch = null;
		const child = this.#child;
		if (child === null) return;
		const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
		this.#lost(child, "the runtime is closing");
		if (child.connected) child.disconnect();
		await exited;
	}
}

function childrenOf(pid: number): number[] {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
	} catch {
		return []; // No /proc, or the process has just ended.
	}
}
