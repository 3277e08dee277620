import { readFileSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Milliseconds } from "../isolates/protocol.ts";
import { BELOW_EDGE, type LaunchedProcess, type Launcher, niceness } from "../launcher/launcher.ts";
import { FrameReader, FrameWriter } from "../sandbox/frames.ts";
import { residentBytes } from "../sandbox/resident.ts";
import type { Bundle, BundleRequest } from "./bundle.ts";
import { BuildFrame } from "./messages.ts";

const MAX_WALL_MS = 30_000;
const MAX_RSS_BYTES = 2 * 1024 * 1024 * 1024;
const WATCH_MS = 200;

const self = fileURLToPath(import.meta.url);
const entry = self.replace(/bundler-client(\.[jt]s)$/, "bundler$1");

interface Waiting {
	resolve: (bundle: Bundle) => void;
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

/** Bundles in a process of its own: started when there is something to bundle, and kept a while for the next. */
export class Bundler {
	readonly #launcher: Launcher;
	readonly #idleMs: Milliseconds;
	#child: BundlerProcess | null = null;
	#next = 1;
	readonly #waiting = new Map<number, Waiting>();
	#idle: NodeJS.Timeout | null = null;
	#watch: NodeJS.Timeout | null = null;

	/** An idle bundler is kept for `idleMs`. */
	constructor(launcher: Launcher, idleMs: Milliseconds) {
		this.#launcher = launcher;
		this.#idleMs = idleMs;
	}

	async bundle(request: BundleRequest): Promise<Bundle> {
		if (this.#idle !== null) clearTimeout(this.#idle);
		this.#idle = null;
		this.#child ??= this.#start();
		const id = this.#next++;
		const { promise, resolve } = Promise.withResolvers<Bundle>();
		this.#waiting.set(id, { resolve, deadline: Date.now() + MAX_WALL_MS });
		this.#watch ??= setInterval(() => this.#check(), WATCH_MS);
		this.#child.ask(id, request);
		return promise;
	}

	#start(): BundlerProcess {
		const child: BundlerProcess = new BundlerProcess(
			this.#launcher,
			(id, bundle) => this.#finish(id, bundle),
			(how) => this.#lost(child, `the bundler ended unexpectedly: ${how}`),
		);
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

	#lost(child: BundlerProcess, why: string): void {
		if (this.#child !== child) return;
		this.#child = null;
		for (const id of [...this.#waiting.keys()]) this.#finish(id, { ok: false, problems: [{ text: why }], inputs: [] });
	}

	/** Ends the bundler with its esbuild service if a job takes too long or both together are too large. */
	#check(): void {
		const child = this.#child;
		if (child === null || child.process.pid === 0) return;
		const { pid } = child.process;
		const late = [...this.#waiting.values()].some(({ deadline }) => Date.now() > deadline);
		const large = [pid, ...childrenOf(pid)].reduce((sum, one) => sum + residentBytes(one), 0) > MAX_RSS_BYTES;
		if (!late && !large) return;
		child.process.kill();
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
		this.#lost(child, "the runtime is closing");
		await child.close();
	}
}

function childrenOf(pid: number): number[] {
	try {
		return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
	} catch {
		return []; // No /proc, or the process has just ended.
	}
}
