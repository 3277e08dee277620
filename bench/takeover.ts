import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Contender } from "./contender.ts";
import { median } from "./load.ts";
import { killNormal } from "./sandboxes.ts";
import { percentile, Tenants } from "./tenants.ts";

const NEIGHBOURS = 50;
const EVERY_MS = 100;
const ROUNDS = 3;
/** In so long a spare has started the functions that are warm. */
const PRELOADED_MS = 12_000;
const AFTER_MS = 2000;

interface Row {
	spare: string;
	failed: number;
	p99Ms: number;
	worstMs: number;
}

/**
 * What the loss of the normal lane's sandbox costs the functions in it, under steady load: where the spare has started them ahead,
 * and where it has only just been started itself.
 */
export async function benchTakeover(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-takeover-"));
	const contender = await Contender.start("atoll", "tenants-atoll.ts", [folder, String(NEIGHBOURS)]);
	const tenants = new Tenants(contender.port, NEIGHBOURS);
	const rounds = new Map<string, Row[]>();
	try {
		const kill = () => killNormal(contender.pid);
		tenants.start(EVERY_MS);
		for (let round = 0; round < ROUNDS; round++) {
			for (const state of ["has started them", "is new"]) {
				if (state === "is new") await kill();
				else await sleep(PRELOADED_MS);
				tenants.samples = [];
				await Promise.all([kill(), sleep(AFTER_MS)]);
				const { samples } = tenants;
				const row = {
					spare: state,
					failed: samples.filter(({ ok }) => !ok).length,
					p99Ms: percentile(samples, 0.99),
					worstMs: percentile(samples, 1),
				};
				rounds.set(state, [...(rounds.get(state) ?? []), row]);
			}
		}
	} finally {
		await tenants.stop();
		await contender.stop();
		rmSync(folder, { recursive: true, force: true });
	}
	const rows = [...rounds].map(([state, all]) => ({
		spare: state,
		failed: all.reduce((sum, { failed }) => sum + failed, 0),
		p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
		worstMs: median(all.map(({ worstMs }) => worstMs)),
	}));
	console.log(
		`\nThe normal lane's sandbox is killed under ${NEIGHBOURS} functions; medians of ${ROUNDS} rounds of ${AFTER_MS} ms\n`,
	);
	console.table(rows);
	return rows;
}
