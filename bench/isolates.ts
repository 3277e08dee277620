import { execFileSync } from "node:child_process";

interface Cost {
	snapshotKb: number;
	parkMs: number;
	idleMb: number;
	/** Of an isolate of isolated-vm with a context and nothing in it. */
	emptyMs: number;
	emptyMb: number;
}

interface Row extends Cost {
	checkout: string;
}

const ROUNDS = 5;
const median = (values: number[]) => Math.round(values.toSorted((a, b) => a - b)[values.length >> 1] * 1000) / 1000;

/** What an isolate costs here and, beside it in alternating rounds, in another checkout of atoll with its packages installed. */
export async function benchIsolates(other: string): Promise<Row[]> {
	const checkouts = other === "" ? ["."] : [other, "."];
	const found = new Map(checkouts.map((checkout): [string, Cost[]] => [checkout, []]));
	for (let round = 0; round < ROUNDS; round++) {
		for (const checkout of checkouts) {
			const text = execFileSync(process.execPath, ["--no-node-snapshot", "bench/servers/isolates.ts", checkout], {
				encoding: "utf8",
			});
			found.get(checkout)?.push(JSON.parse(text) as Cost);
		}
	}
	const rows = [...found].map(([checkout, costs]) => ({
		checkout,
		snapshotKb: costs[0].snapshotKb,
		parkMs: median(costs.map(({ parkMs }) => parkMs)),
		idleMb: median(costs.map(({ idleMb }) => idleMb)),
		emptyMs: median(costs.map(({ emptyMs }) => emptyMs)),
		emptyMb: median(costs.map(({ emptyMb }) => emptyMb)),
	}));
	console.log(
		`\nAn isolate: the base snapshot, the time to park one, and what it holds while idle; medians of ${ROUNDS} rounds\n`,
	);
	console.table(rows);
	return rows;
}
