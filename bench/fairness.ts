import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { Contender } from "./contender.ts";
import { percentile, Tenants } from "./tenants.ts";

const NEIGHBOURS = 50;
const EVERY_MS = 100;
const HOT_TIMES = 100;
const PHASE_MS = 5000;
const ROUNDS = 4;

interface Row {
	phase: string;
	requests: number;
	failed: number;
	p50Ms: number;
	p99Ms: number;
	worstMs: number;
}

/** Neighbours under steady load, by turns with and without one function that has a hundred times the load of each of them. */
export async function benchFairness(): Promise<Row[]> {
	const folder = mkdtempSync(`${tmpdir()}/atoll-bench-fairness-`);
	const contender = await Contender.start("atoll", "tenants-atoll.ts", [folder, String(NEIGHBOURS + 1)]);
	const tenants = new Tenants(contender.port, NEIGHBOURS);
	const hot = new Tenants(contender.port, 1);
	const samples: Record<string, Tenants["samples"]> = { calm: [], hot: [] };
	try {
		tenants.start(EVERY_MS);
		await new Promise((resolve) => setTimeout(resolve, PHASE_MS));
		for (let round = 0; round < ROUNDS; round++) {
			for (const phase of ["calm", "hot"]) {
				tenants.samples = [];
				const asking =
					phase === "hot" ? setInterval(() => void hot.ask(`n${NEIGHBOURS}`, 3000), EVERY_MS / HOT_TIMES) : undefined;
				await new Promise((resolve) => setTimeout(resolve, PHASE_MS));
				clearInterval(asking);
				samples[phase].push(...tenants.samples);
			}
		}
	} finally {
		await Promise.all([tenants.stop(), hot.stop()]);
		await contender.stop();
		rmSync(folder, { recursive: true, force: true });
	}
	const rows = Object.entries(samples).map(([phase, all]) => ({
		phase,
		requests: all.length,
		failed: all.filter(({ ok }) => !ok).length,
		p50Ms: percentile(all, 0.5),
		p99Ms: percentile(all, 0.99),
		worstMs: percentile(all, 1),
	}));
	console.log(
		`\nFairness: ${NEIGHBOURS} neighbours, without and with one function at ${HOT_TIMES} times the load of each\n`,
	);
	console.table(rows);
	return rows;
}
