import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { holdings, percentile, Tenants } from "./tenants.ts";

const NEIGHBOURS = 50;
const EVERY_MS = 100;
const WARM_UP_MS = 4000;
const PHASE_MS = 10_000;
const MEMORY_EVERY_MS = 100;
const KINDS = [
	"none",
	"responses unread",
	"messages unread",
	"empty messages",
	"log unread",
	"pipelined upgrades",
	"slow uploads",
	"tiny chunks",
	"heads unfinished",
	"pipelined",
];

interface Row {
	clients: string;
	requests: number;
	failed: number;
	p99Ms: number;
	worstMs: number;
	/** Of the edge alone: before, and the most meanwhile. */
	calmMb: number;
	peakMb: number;
	alive: boolean;
}

/**
 * What neighbours feel, and what the edge holds, while clients of one function do harm, each kind on a fresh server.
 * `SECONDS,KIND` makes that shorter.
 */
export async function benchClients(argument: string): Promise<Row[]> {
	const [seconds, only = ""] = argument.split(",");
	const phaseMs = seconds === "" ? PHASE_MS : Number(seconds) * 1000;
	const rows: Row[] = [];
	for (const kind of KINDS.filter((name) => name.includes(only))) {
		const row = await attack(kind, phaseMs);
		rows.push(row);
		console.log(Object.values(row).join("\t"));
	}
	console.log(`\nClients of one function that do harm, beside ${NEIGHBOURS} neighbours\n`);
	console.table(rows);
	return rows;
}

async function attack(kind: string, phaseMs: number): Promise<Row> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-clients-"));
	const args = [folder, String(NEIGHBOURS), "bench/functions/serves.js"];
	const contender = await Contender.start("atoll", "tenants-atoll.ts", args, { LOG: "1" });
	const tenants = new Tenants(contender.port, NEIGHBOURS);
	let peakMb = 0;
	try {
		tenants.start(EVERY_MS);
		await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
		const calmMb = holdings(contender.pid).ownMb;
		tenants.samples = [];
		const memory = setInterval(() => {
			peakMb = Math.max(peakMb, holdings(contender.pid).ownMb);
		}, MEMORY_EVERY_MS);
		if (kind === "log unread") contender.stopReading();
		const clients = await Contender.start("clients", "clients.ts", [kind, String(contender.port)]);
		await new Promise((resolve) => setTimeout(resolve, phaseMs));
		await clients.stop();
		clearInterval(memory);
		const { samples } = tenants;
		const row: Row = {
			clients: kind,
			requests: samples.length,
			failed: samples.filter(({ ok }) => !ok).length,
			p99Ms: percentile(samples, 0.99),
			worstMs: percentile(samples, 1),
			calmMb,
			peakMb,
			alive: contender.alive,
		};
		contender.readOn();
		return row;
	} finally {
		await tenants.stop();
		await contender.stop();
		rmSync(folder, { recursive: true, force: true });
	}
}
