import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";

/** How one request of a neighbour went. */
export interface Sample {
	at: number;
	ms: number;
	ok: boolean;
}

/** Asks many functions of one server, each by its hostname. */
export class Tenants {
	readonly #port: number;
	readonly #agent = new Agent({ keepAlive: true, maxSockets: 200 });
	readonly #neighbours: number;
	readonly #pending = new Set<Promise<void>>();
	#timer: NodeJS.Timeout | null = null;
	samples: Sample[] = [];

	constructor(port: number, neighbours: number) {
		this.#port = port;
		this.#neighbours = neighbours;
	}

	/** Asks one function. Gives the status, or 0 if there was no whole response in time. */
	ask(name: string, timeoutMs: number, path = "/"): Promise<number> {
		return new Promise((resolve) => {
			const req = request({
				port: this.#port,
				host: "127.0.0.1",
				agent: this.#agent,
				path,
				headers: { host: `${name}.localhost` },
			});
			// A timer of its own: the socket's timeout does not run while the request waits for a socket.
			const timer = setTimeout(() => end(0), timeoutMs);
			const end = (status: number) => {
				clearTimeout(timer);
				if (status === 0) req.destroy();
				resolve(status);
			};
			req.on("response", (res) => {
				res.on("data", () => undefined);
				res.on("end", () => end(res.complete ? (res.statusCode ?? 0) : 0));
				res.on("error", () => end(0));
			});
			req.on("error", () => end(0));
			req.end();
		});
	}

	/** Asks the neighbours in turn, each as often as `everyMs` says, until `stop`. */
	start(everyMs: number): void {
		let turn = 0;
		this.#timer = setInterval(() => {
			const at = performance.now();
			const asked = this.ask(`n${turn++ % this.#neighbours}`, 3000).then((status) => {
				this.samples.push({ at, ms: performance.now() - at, ok: status === 200 });
				this.#pending.delete(asked);
			});
			this.#pending.add(asked);
		}, everyMs / this.#neighbours);
	}

	/** Asks no more; resolves when all that was asked is answered. */
	async stop(): Promise<void> {
		if (this.#timer !== null) clearInterval(this.#timer);
		await Promise.all(this.#pending);
		this.#agent.destroy();
	}
}

/** That share of the samples took no longer, in milliseconds. */
export function percentile(samples: Sample[], share: number): number {
	const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
	return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
}

/** What a process and all below it hold. */
export interface Holdings {
	processes: number;
	/** Resident memory of all of them. */
	mb: number;
	/** Resident memory of the first process alone. */
	ownMb: number;
	/** Open descriptors of the first process alone. */
	descriptors: number;
}

/** The processes that a process has started itself. */
export function childrenOf(pid: number): number[] {
	return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

/** All processes that a process has started, and those that they have; what has just ended has none. */
export function below(pid: number): number[] {
	try {
		return childrenOf(pid).flatMap((child) => [child, ...below(child)]);
	} catch {
		return [];
	}
}

export function holdings(pid: number): Holdings {
	try {
		const own = (Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096) / 2 ** 20;
		const children = childrenOf(pid);
		const all: Holdings = {
			processes: 1,
			mb: own,
			ownMb: Math.round(own),
			descriptors: readdirSync(`/proc/${pid}/fd`).length,
		};
		for (const child of children) {
			const { processes, mb } = holdings(child);
			all.processes += processes;
			all.mb += mb;
		}
		return all;
	} catch {
		return { processes: 0, mb: 0, ownMb: 0, descriptors: 0 }; // It has just ended.
	}
}
