import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";
import { cpuUs } from "./sandboxes.ts";

const ROUNDS = 5;
const CONNECTIONS = 64;
const SECONDS = 4;

interface Row {
	what: string;
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
	const found = new Map<string, Omit<Row, "what">[]>();
	try {
		for (let round = 0; round < ROUNDS; round++)
			for (const log of ["off", "on"]) {
				const server = await Contender.start(`observed ${log}`, "observe.ts", [join(folder, `${log}-${round}`), log]);
				try {
					for (const [host, does] of [
						["f", "hello"],
						["l", "a line"],
					]) {
						await load(server.port, { connections: CONNECTIONS, seconds: 1, host });
						const before = cpuUs(server.pid);
						const { requestsPerSecond, errors } = await load(server.port, {
							...{ connections: CONNECTIONS, seconds: SECONDS, host },
						});
						const cost = (cpuUs(server.pid) - before) / (requestsPerSecond * SECONDS);
						const what = `${does}, observed ${log}`;
						found.set(what, [...(found.get(what) ?? []), { requestsPerSecond, cpuUs: cost, errors }]);
					}
				} finally {
					await server.stop();
				}
			}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	const rows = [...found].map(([what, all]) => ({
		what,
		requestsPerSecond: Math.round(median(all.map((one) => one.requestsPerSecond))),
		cpuUs: Math.round(median(all.map((one) => one.cpuUs)) * 10) / 10,
		errors: all.reduce((sum, { errors }) => sum + errors, 0),
	}));
	console.log(`\nObserved or not, c=${CONNECTIONS}, medians of ${ROUNDS} rounds\n`);
	console.table(rows);
	return rows;
}
