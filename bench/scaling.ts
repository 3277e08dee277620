import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Contender } from "./contender.ts";
import { work } from "./functions/work.ts";
import { median } from "./load.ts";
import { percentile, Tenants } from "./tenants.ts";

const PLACES = 4;
const CPU_MS = 10;
const CONCURRENCY = 64;
/** Requests one after the other before there is load: until then nothing is known of the function. */
const PROVEN = 60;
const NEIGHBOURS = 20;
const EVERY_MS = 100;
const ROUNDS = 3;
const PHASE_MS = 5000;

interface Figures {
	/**
	 * From the first request on, until as many isolates, or threads, have answered one. Where turns are cut for want of
	 * cores an isolate's successor counts as another.
	 */
	allAtWorkMs: number;
	requestsPerSecond: number;
	failed: number;
	/** The neighbours', without the load and with it; those of the threads have none. */
	calmP99Ms: number;
	p99Ms: number;
	neighboursFailed: number;
}

interface Row extends Figures {
	contender: string;
}

/**
 * A function that computes for 10 ms a request goes from nothing to 64 requests at a time: how soon all sandboxes work
 * for it, how many it serves beside a pool of as many threads, and what its neighbours notice. `scaling=SECONDS,ROUNDS`.
 */
export async function benchScaling(argument: string): Promise<Row[]> {
	const [seconds = "", count = ""] = argument.split(",");
	const ms = Number(seconds) * 1000 || PHASE_MS;
	const rounds = Number(count) || ROUNDS;
	const path = `/?${roundsFor(CPU_MS)}`;
	const found = new Map<string, Figures[]>();
	for (let round = 0; round < rounds; round++) {
		const folder = mkdtempSync(join(tmpdir(), "atoll-bench-scaling-"));
		try {
			const args = {
				atoll: ["scaling-atoll.ts", folder, String(PLACES), String(NEIGHBOURS)],
				threads: ["threads.ts", String(PLACES)],
			};
			for (const [name, [script, ...rest]] of Object.entries(args)) {
				const server = await Contender.start(name, script, rest);
				try {
					const figures = await measure(server.port, name === "atoll" ? NEIGHBOURS : 0, path, ms);
					found.set(name, [...(found.get(name) ?? []), figures]);
				} finally {
					await server.stop();
				}
			}
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	}
	const rows = [...found].map(([contender, all]): Row => {
		const medians = Object.keys(all[0]).map((key) => [
			key,
			Math.round(median(all.map((one) => one[key as keyof Figures]))),
		]);
		return { contender, ...(Object.fromEntries(medians) as unknown as Figures) };
	});
	const [atoll, threads] = rows;
	console.log(
		`\nFrom nothing to ${CONCURRENCY} requests at a time of ${CPU_MS} ms CPU each, ${PLACES} sandboxes or threads, medians of ${rounds} rounds\n`,
	);
	console.table(rows);
	const ratio = atoll.requestsPerSecond / threads.requestsPerSecond;
	console.log(`throughput over that of the threads: ${ratio.toFixed(2)}`);
	return rows;
}

async function measure(port: number, count: number, path: string, ms: number): Promise<Figures> {
	const neighbours = new Tenants(port, Math.max(1, count));
	const burst = new Burst(port, path);
	try {
		for (let i = 0; i < PROVEN; i++) await burst.ask();
		if (count > 0) neighbours.start(EVERY_MS);
		await sleep(ms); // Until the neighbours have proven light.
		neighbours.samples = [];
		await sleep(ms);
		const calm = neighbours.samples;
		neighbours.samples = [];
		const figures = await burst.run(ms);
		const { samples } = neighbours;
		return {
			...figures,
			calmP99Ms: percentile(calm, 0.99),
			p99Ms: percentile(samples, 0.99),
			neighboursFailed: samples.filter(({ ok }) => !ok).length,
		};
	} finally {
		await neighbours.stop();
		burst.close();
	}
}

/** Requests to the function that computes. */
class Burst {
	readonly #port: number;
	readonly #path: string;
	readonly #agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY });

	constructor(port: number, path: string) {
		this.#port = port;
		this.#path = path;
	}

	/** Asks once. Gives who has answered; empty where nobody did. */
	ask(): Promise<string> {
		const options = {
			...{ port: this.#port, host: "127.0.0.1", path: this.#path, agent: this.#agent },
			headers: { host: "works.localhost" },
		};
		return new Promise((resolve) => {
			const request = get(options, (response) => {
				let text = "";
				response.setEncoding("utf8").on("data", (chunk: string) => {
					text += chunk;
				});
				response.on("end", () => resolve(response.statusCode === 200 ? text : ""));
				response.on("error", () => resolve(""));
			});
			request.on("error", () => resolve(""));
		});
	}

	/** Asks as many at a time as there may be, for so long. */
	async run(ms: number): Promise<Pick<Figures, "allAtWorkMs" | "requestsPerSecond" | "failed">> {
		const seen = new Set<string>();
		const began = performance.now();
		let allAtWorkMs = Number.NaN;
		let answered = 0;
		let failed = 0;
		const worker = async () => {
			while (performance.now() - began < ms) {
				const id = await this.ask();
				if (id === "") failed++;
				else answered++;
				seen.add(id);
				if (seen.size === PLACES && Number.isNaN(allAtWorkMs)) allAtWorkMs = performance.now() - began;
			}
		};
		await Promise.all(Array.from({ length: CONCURRENCY }, worker));
		return { allAtWorkMs, requestsPerSecond: (answered * 1000) / (performance.now() - began), failed };
	}

	close(): void {
		this.#agent.destroy();
	}
}

/** How many rounds take so long on this machine. */
function roundsFor(ms: number): number {
	const time = (rounds: number) => {
		const before = process.threadCpuUsage();
		work(rounds);
		const { user, system } = process.threadCpuUsage(before);
		return (user + system) / 1000;
	};
	time(10_000_000); // Until it is compiled.
	const rounds = 10_000_000;
	return Math.round((rounds * ms) / Math.min(...Array.from({ length: 10 }, () => time(rounds))));
}
