import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Contender } from "./contender.ts";
import { holdings, percentile, Tenants } from "./tenants.ts";

const NEIGHBOURS = 50;
/** Each neighbour is asked so often; together they are a steady load that is far from what either server can do. */
const EVERY_MS = 100;
const CALM_MS = 2000;
/** One after the other, over as long a time as the calm at least: what is over in a few milliseconds has no p99. */
const CALLS = 10;
const ATTACK_MS = 6000;

interface Row {
	adversary: string;
	server: string;
	requests: number;
	failed: number;
	calmP99Ms: number;
	attackP99Ms: number;
	/** One and a half times the calm p99, and 10 ms. */
	aimMs: number;
	worstMs: number;
	answeredMs: number | string;
	lost: number | string;
	peakMb: number;
}

/**
 * For each adversary whose name contains `only`: neighbours under steady load while it is called ten times, on atoll and on
 * workerd.
 */
export async function benchHostile(only: string): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-hostile-"));
	const rows: Row[] = [];
	try {
		for (const file of readdirSync("test/adversaries").filter((name) => name.includes(only))) {
			for (const server of ["atoll", "workerd"] as const) {
				const row = await attack(server, `test/adversaries/${file}`, join(folder, server));
				rows.push(row);
				console.log(Object.values(row).join("\t"));
			}
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	console.log(
		`\nHostile functions: ${NEIGHBOURS} neighbours, each asked every ${EVERY_MS} ms, while one function is called ${CALLS} times\n`,
	);
	console.table(rows);
	return rows;
}

async function attack(server: "atoll" | "workerd", file: string, data: string): Promise<Row> {
	const args =
		server === "atoll" ? [data, String(NEIGHBOURS), file] : [data, String(NEIGHBOURS), "examples/hello.ts", file];
	const contender = await Contender.start(server, `tenants-${server}.ts`, args);
	const tenants = new Tenants(contender.port, NEIGHBOURS);
	const adversary = basename(file, ".js");
	let peak = 0;
	tenants.start(EVERY_MS);
	const memory = setInterval(() => {
		peak = Math.max(peak, holdings(contender.pid).mb);
	}, 100);
	// Warm up, until the neighbours have proven light, then a calm that the attack is held against.
	await new Promise((resolve) => setTimeout(resolve, 4000));
	tenants.samples = [];
	await new Promise((resolve) => setTimeout(resolve, CALM_MS));
	const began = performance.now();
	const answers: number[] = [];
	for (let i = 0; i < CALLS && performance.now() - began < ATTACK_MS; i++) {
		const at = performance.now();
		if ((await tenants.ask(adversary, 3500)) !== 0) answers.push(performance.now() - at);
		const next = began + ((i + 1) * CALM_MS) / CALLS;
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
	}
	await tenants.stop();
	clearInterval(memory);
	const output = await contender.stop();
	const calm = tenants.samples.filter(({ at }) => at < began);
	const attacked = tenants.samples.filter(({ at }) => at >= began);
	const calmP99Ms = percentile(calm, 0.99);
	return {
		adversary,
		server,
		requests: attacked.length,
		failed: attacked.filter(({ ok }) => !ok).length,
		calmP99Ms,
		attackP99Ms: percentile(attacked, 0.99),
		aimMs: Math.round(1.5 * calmP99Ms + 10),
		worstMs: percentile(attacked, 1),
		answeredMs: answers.length === 0 ? "never" : Math.round(answers.toSorted((a, b) => a - b)[answers.length >> 1]),
		lost: /restarts (\d+)/.exec(output)?.[1] ?? (/ended (\S+)/.test(output) ? "all" : 0),
		peakMb: Math.round(peak),
	};
}
