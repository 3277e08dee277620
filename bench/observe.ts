import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";
import { cpuUs } from "./sandboxes.ts";

const ROUNDS = 15;
const SECONDS = 1;
const WARM_UP_SECONDS = 3;

/** Of which function, what it does, and over how many connections. */
const LOADS = [
	["f", "hello", 64],
	["f", "hello", 1],
	["l", "a line", 64],
] as const;

type Load = (typeof LOADS)[number];

interface Round {
	requestsPerSecond: number;
	/** Processor time of the edge for a request. */
	cpuUs: number;
	errors: number;
}

interface Row {
	what: string;
	connections: number;
	off: number;
	on: number;
	/** The median of what the rounds have, of which each has both right behind each other. */
	ratio: number;
	requestsPerSecondOff: number;
	requestsPerSecondOn: number;
	errors: number;
}

/**
 * What a request costs that is observed as in `atoll up` (records, lines, figures, usage), beside one that is not: two
 * servers in turn, a second each, for a function that logs nothing, and one that does.
 */
export async function benchObserve(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-observe-"));
	const servers: Contender[] = [];
	const rows: Row[] = [];
	try {
		for (const log of ["off", "on"])
			servers.push(await Contender.start(`observed ${log}`, "observe.ts", [join(folder, log), log]));
		const [off, on] = servers;
		for (const one of LOADS) {
			for (const server of servers) await round(server, one, WARM_UP_SECONDS);
			const all: [Round, Round][] = [];
			for (let i = 0; i < ROUNDS; i++)
				if (i % 2 === 0) all.push([await round(off, one), await round(on, one)]);
				else {
					const second = await round(on, one);
					all.push([await round(off, one), second]);
				}
			rows.push(rowOf(one, all));
		}
	} finally {
		for (const server of servers) await server.stop();
		rmSync(folder, { recursive: true, force: true });
	}
	console.log(`\nThe edge's processor time for a request (µs), observed or not, medians of ${ROUNDS} rounds\n`);
	console.table(rows);
	return rows;
}

async function round(server: Contender, [host, , connections]: Load, seconds = SECONDS): Promise<Round> {
	const before = cpuUs(server.pid);
	const { requestsPerSecond, errors } = await load(server.port, { connections, seconds, host });
	return { requestsPerSecond, errors, cpuUs: (cpuUs(server.pid) - before) / (requestsPerSecond * seconds) };
}

function rowOf([, what, connections]: Load, all: [Round, Round][]): Row {
	const tenths = (values: number[]) => Math.round(median(values) * 10) / 10;
	return {
		what,
		connections,
		off: tenths(all.map(([off]) => off.cpuUs)),
		on: tenths(all.map(([, on]) => on.cpuUs)),
		ratio: Math.round(median(all.map(([off, on]) => on.cpuUs / off.cpuUs)) * 1000) / 1000,
		requestsPerSecondOff: Math.round(median(all.map(([off]) => off.requestsPerSecond))),
		requestsPerSecondOn: Math.round(median(all.map(([, on]) => on.requestsPerSecond))),
		errors: all.reduce((sum, [off, on]) => sum + off.errors + on.errors, 0),
	};
}
