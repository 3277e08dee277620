import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Contender } from "./contender.ts";
import { type Holdings, holdings, percentile, Tenants } from "./tenants.ts";

const NEIGHBOURS = 50;
const EVERY_MS = 100;
/** A random adversary is called so often. */
const ATTACK_EVERY_MS = 400;
/** After an attack the heavy lane gives up what it needed for it: see `IDLE_MS` of `src/pool/process-pool.ts`. */
const SETTLE_MS = 60_000;
const FOLDER = "test/adversaries";

interface Row extends Holdings {
	minute: string;
	requests: number;
	failed: number;
	p99Ms: number;
	worstMs: number;
}

/** Minutes of adversaries drawn at random, beside neighbours under steady load; what is held before, meanwhile and after. */
export async function benchSoak(given: string): Promise<Row[]> {
	const minutes = Number(given || 10);
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-soak-"));
	const files = readdirSync(FOLDER);
	const rows: Row[] = [];
	try {
		const contender = await Contender.start("atoll", "tenants-atoll.ts", [
			folder,
			String(NEIGHBOURS),
			...files.map((file) => join(FOLDER, file)),
		]);
		const tenants = new Tenants(contender.port, NEIGHBOURS);
		const interval = async (minute: string, ms: number) => {
			tenants.samples = [];
			await new Promise((resolve) => setTimeout(resolve, ms));
			const { samples } = tenants;
			const { processes, mb, ownMb, descriptors } = holdings(contender.pid);
			rows.push({
				minute,
				requests: samples.length,
				failed: samples.filter(({ ok }) => !ok).length,
				p99Ms: percentile(samples, 0.99),
				worstMs: percentile(samples, 1),
				processes,
				mb: Math.round(mb),
				ownMb,
				descriptors,
			});
			console.log(Object.values(rows[rows.length - 1]).join("\t"));
		};
		tenants.start(EVERY_MS);
		await interval("before", 20_000);
		const attacks = new Set<Promise<unknown>>();
		const attack = setInterval(() => {
			const name = basename(files[Math.floor(Math.random() * files.length)], ".js");
			const asked: Promise<unknown> = tenants.ask(name, 5000).then(() => attacks.delete(asked));
			attacks.add(asked);
		}, ATTACK_EVERY_MS);
		for (let minute = 1; minute <= minutes; minute++) await interval(String(minute), 60_000);
		clearInterval(attack);
		await Promise.all(attacks);
		await interval("after", SETTLE_MS);
		await tenants.stop();
		console.log(await contender.stop());
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	console.log(`\nSoak: ${files.length} adversaries, one called every ${ATTACK_EVERY_MS} ms\n`);
	console.table(rows);
	return rows;
}
