import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { median } from "./load.ts";
import { childrenOf, percentile, Tenants } from "./tenants.ts";

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
		const kill = async () => {
			const [normal] = await normalAndSpare(contender.pid);
			process.kill(normal, "SIGKILL");
			while ((await normalAndSpare(contender.pid)).includes(normal)) await sleep(20);
		};
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

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The sandbox of the normal lane and the spare, the older one first, as soon as there are both. */
async function normalAndSpare(pid: number): Promise<number[]> {
	for (;;) {
		const found = childrenOf(pid).flatMap(childrenOf).filter(isLight);
		if (found.length === 2) return found.sort((a, b) => a - b);
		await sleep(20);
	}
}

/** Whether it is a sandbox, and none that gives way to others, as those of the heavy lane do. */
function isLight(pid: number): boolean {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("isolates-main") && getPriority(pid) < 10;
	} catch {
		return false; // It has just ended.
	}
}
