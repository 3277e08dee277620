import { execFileSync } from "node:child_process";
import { median } from "./load.ts";

/** CPU time of a turn in µs: an isolate's second, its third to tenth, its eleventh to hundredth, and a hot one's. */
interface Turns {
	second: number;
	early: number;
	later: number;
	hot: number;
	/** What an isolate adds to the memory within a hundred turns. */
	mb: number;
}

interface Row extends Turns {
	contender: string;
	earlyOverHot: number;
}

const ENTRIES = ["examples/hello.ts", "examples/app.ts"];
const ROUNDS = 3;

/** The first turns of isolates, here and, in alternating rounds, in another checkout that has its packages installed. */
export async function benchTurns(other: string): Promise<Row[]> {
	const checkouts = other === "" ? ["."] : [other, "."];
	const found = new Map<string, Turns[]>();
	for (let round = 0; round < ROUNDS; round++) {
		for (const entry of ENTRIES) {
			for (const checkout of checkouts) {
				const args = ["--no-node-snapshot", "--single-threaded-gc", "bench/servers/turns.ts", checkout, entry];
				const turns = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as Turns;
				const contender = checkouts.length === 1 ? entry : `${entry} in ${checkout}`;
				found.set(contender, [...(found.get(contender) ?? []), turns]);
			}
		}
	}
	const rows = [...found].map(([contender, all]): Row => {
		const [second, early, later, hot] = (["second", "early", "later", "hot"] as const).map((key) =>
			Math.round(median(all.map((one) => one[key]))),
		);
		const mb = Math.round(median(all.map((one) => one.mb)) * 100) / 100;
		const earlyOverHot = Math.round(median(all.map((one) => one.early / one.hot)) * 10) / 10;
		return { contender, second, early, later, hot, mb, earlyOverHot };
	});
	console.log(`\nCPU time of a turn in µs, 60 isolates in turn, medians of ${ROUNDS} rounds\n`);
	console.table(rows);
	return rows;
}
