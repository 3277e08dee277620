import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";
import { cpuUs } from "./sandboxes.ts";

const ROUNDS = 5;
const SECONDS = 3;

/** Of which function, what it does, and over how many connections. */
const LOADS = [
	["f", "hello", 64],
	["f", "hello", 1],
	["l", "a line", 64],
] as const;

interface Row {
	what: string;
	connections: number;
	requestsPerSecond: number;
	/** Processor time of the edge for a request. */
	cpuUs: number;
	errors: number;
}

/**
 * What a request costs that is observed as in `atoll up` (records, lines, figures, usage), beside one that is not, in one
 * run: for a function that logs nothing, and one that does.
 */
export async function benchObserve(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-observe-"));
	const found = new Map<string, Row[]>();
	try {
		for (let round = 0; round < ROUNDS; round++)
			for (const log of ["off", "on"]) {
				const server = await Contender.start(`observed ${log}`, "observe.ts", [join(folder, `${log}-${round}`), log]);
				try {
					for (const [host, does, connections] of LOADS) {
						await load(server.port, { connections, seconds: 1, host });
						const before = cpuUs(server.pid);
						const { requestsPerSecond, errors } = await load(server.port, { connections, seconds: SECONDS, host });
						const cost = (cpuUs(server.pid) - before) / (requestsPerSecond * SECONDS);
						const what = `${does}, observed ${log}`;
						const key = `${what} ${connections}`;
						found.set(key, [...(found.get(key) ?? []), { what, connections, requestsPerSecond, cpuUs: cost, errors }]);
					}
				} finally {
					await server.stop();
				}
			}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	const rows = [...found.values()].map((all) => ({
		what: all[0].what,
		connections: all[0].connections,
		requestsPerSecond: Math.round(median(all.map((one) => one.requestsPerSecond))),
		cpuUs: Math.round(median(all.map((one) => one.cpuUs)) * 10) / 10,
		errors: all.reduce((sum, { errors }) => sum + errors, 0),
	}));
	console.log(`\nObserved or not, medians of ${ROUNDS} rounds\n`);
	console.table(rows);
	return rows;
}
