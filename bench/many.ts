import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";
import { childrenOf, holdings, Tenants } from "./tenants.ts";

const FUNCTIONS = 150;
const ROUNDS = 3;
/** The requests that a function has had when its memory is looked at. */
const REQUESTS = 40;
const LOAD = { connections: 64, seconds: 4, hosts: 100, path: "/users/42" };
const ENTRY = "examples/app.ts";

interface Figures {
	/** The first request of each function, one after another. */
	firstMs: number;
	firstP99Ms: number;
	/** Its requests 2 to 10, the functions asked in turn. */
	earlyUs: number;
	earlyP99Us: number;
	/** Of a hundred of them at random, before they are warm. */
	requestsPerSecond: number;
	p99Us: number;
	/** What all processes hold before the first request, and what each function adds to that. */
	emptyMb: number;
	addedMb: number;
	errors: number;
}

interface Row extends Figures {
	contender: string;
}

/** Many functions that have few requests each, as on a machine of many tenants: a Hono app, beside workerd. */
export async function benchMany(): Promise<Row[]> {
	const found = new Map<string, Figures[]>();
	for (let round = 0; round < ROUNDS; round++) {
		const folder = mkdtempSync(join(tmpdir(), "atoll-bench-many-"));
		try {
			const args = {
				atoll: ["process", ENTRY, String(FUNCTIONS), folder],
				workerd: [folder, String(FUNCTIONS), ENTRY],
			};
			for (const name of ["atoll", "workerd"] as const) {
				const server = await Contender.start(name, name === "atoll" ? "atoll.ts" : "tenants-workerd.ts", args[name]);
				try {
					found.set(name, [...(found.get(name) ?? []), await measure(server, name)]);
				} finally {
					await server.stop();
				}
			}
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	}
	const rows = [...found].map(([contender, all]): Row => {
		const medians = Object.keys(all[0]).map((key) => [key, round(median(all.map((one) => one[key as keyof Figures])))]);
		return { contender, ...(Object.fromEntries(medians) as Figures) };
	});
	console.log(`\n${FUNCTIONS} functions (${ENTRY}), medians of ${ROUNDS} rounds\n`);
	console.table(rows);
	return rows;
}

async function measure(server: Contender, name: "atoll" | "workerd"): Promise<Figures> {
	const prefix = name === "atoll" ? "f" : "n";
	const tenants = new Tenants(server.port, FUNCTIONS);
	// workerd is started by a script, whose own memory is none of its.
	const pid = name === "atoll" ? server.pid : childrenOf(server.pid)[0];
	// What has built the functions ends five seconds after the last of them.
	await new Promise((resolve) => setTimeout(resolve, 7000));
	const emptyMb = holdings(pid).mb;
	let errors = 0;
	/** Asks each function once, one after another. */
	const ask = async () => {
		const times: number[] = [];
		for (let i = 0; i < FUNCTIONS; i++) {
			const began = performance.now();
			if ((await tenants.ask(`${prefix}${i}`, 10_000, LOAD.path)) !== 200) errors++;
			times.push(performance.now() - began);
		}
		return times;
	};
	const first = await ask();
	const early: number[] = [];
	for (let i = 2; i <= 10; i++) early.push(...(await ask()));
	const loaded = await load(server.port, { ...LOAD, host: prefix });
	for (let i = 10; i < REQUESTS; i++) await ask();
	const addedMb = (holdings(pid).mb - emptyMb) / FUNCTIONS;
	await tenants.stop();
	return {
		firstMs: median(first),
		firstP99Ms: p99(first),
		earlyUs: median(early) * 1000,
		earlyP99Us: p99(early) * 1000,
		requestsPerSecond: loaded.requestsPerSecond,
		p99Us: loaded.p99Us,
		emptyMb,
		addedMb,
		errors: errors + loaded.errors,
	};
}

const p99 = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)];
const round = (value: number) => Math.round(value * 100) / 100;
