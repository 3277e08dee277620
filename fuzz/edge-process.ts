import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Observation, Order } from "./edge.ts";
import { descendants, isRunning } from "./holdings.ts";
import { pause } from "./pause.ts";

/** What it has had started ends with it, or so long after it. */
const LEAVING_MS = 10_000;
/** What is kept of its last words. */
const MOST_WORDS = 20_000;

/** The process of the edge that is fuzzed, as its fuzzer sees it. */
export class EdgeProcess {
	readonly #child: ChildProcess;
	readonly #orders = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
	#nextOrder = 1;
	#words = "";
	/** How it ended by itself; `null` as long as it runs. */
	ended: string | null = null;
	/** Where it listens, on this machine only. */
	port = 0;
	/** What it has had started, and what that has, as of its last word: behind walls these are trees of processes. */
	#tree: number[] = [];

	private constructor(data: string) {
		this.#child = spawn(process.execPath, ["--no-warnings", "--expose-gc", "fuzz/edge.ts", data], {
			stdio: ["ignore", "inherit", "pipe", "ipc"],
			env: { ...process.env, UV_THREADPOOL_SIZE: "16" },
		});
		this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			this.#words = (this.#words + text).slice(-MOST_WORDS);
		});
		this.#child.on("exit", (code, signal) => {
			this.ended = `code ${code}, signal ${signal}`;
			for (const { reject } of this.#orders.values()) reject(new Error("the edge has ended"));
			this.#orders.clear();
		});
		this.#child.on("message", ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
			this.#tree = descendants(this.pid);
			const order = this.#orders.get(id);
			this.#orders.delete(id);
			if (error === undefined) order?.resolve(result);
			else order?.reject(new Error(error));
		});
	}

	/** Starts it, with a folder for what it keeps. Resolves when it listens. */
	static async start(data: string): Promise<EdgeProcess> {
		const edge = new EdgeProcess(data);
		const exited = once(edge.#child, "exit").then(() => {
			throw new Error(`the edge does not start:\n${edge.#words}`);
		});
		exited.catch(() => undefined); // Of its later end `ended` tells.
		const [{ port }] = (await Promise.race([once(edge.#child, "message"), exited])) as [{ port: number }];
		edge.port = port;
		edge.#tree = descendants(edge.pid);
		return edge;
	}

	get pid(): number {
		return this.#child.pid as number;
	}

	/** Has it do something. Rejects with what it says to that, or if it has ended. */
	order(order: Order): Promise<unknown> {
		return new Promise((resolve, reject) => {
			if (this.ended !== null) {
				reject(new Error("the edge has ended"));
				return;
			}
			const id = this.#nextOrder++;
			this.#orders.set(id, { resolve, reject });
			this.#child.send({ id, order }, () => undefined); // Where that fails it has ended.
		});
	}

	/** What it says of itself, after it has collected its garbage if that is asked for. */
	observe(collect = false): Promise<Observation> {
		return this.order({ observe: { collect } }) as Promise<Observation>;
	}

	/** Whether it has ended; one that does not answer may just be about to. */
	async hasEnded(): Promise<boolean> {
		if (this.ended === null) await Promise.race([once(this.#child, "exit"), pause(1000)]);
		return this.ended !== null;
	}

	/** The error that it ended with, without the source around it. */
	get lastWords(): string {
		const lines = this.#words.split("\n");
		const error = Math.max(
			0,
			lines.findIndex((line) => /^\w*Error\b.*:/.test(line)),
		);
		return lines.slice(error, error + 6).join("\n");
	}

	/** Ends it. Resolves with what it has left behind, which is ended as well. */
	async stop(): Promise<number[]> {
		const started = new Set(this.#tree);
		if (this.ended === null) {
			for (const pid of descendants(this.pid)) started.add(pid);
			const exited = once(this.#child, "exit");
			this.#child.kill("SIGKILL");
			await exited;
		}
		const running = () => {
			// What was being started when it ended is known by what starts it.
			for (const pid of [...started]) for (const child of descendants(pid)) started.add(child);
			return [...started].filter(isRunning);
		};
		const late = performance.now() + LEAVING_MS;
		let left = running();
		while (left.length > 0 && performance.now() < late) {
			await pause(10);
			left = running();
		}
		for (const pid of left) if (isRunning(pid)) process.kill(pid, "SIGKILL");
		return left;
	}
}
