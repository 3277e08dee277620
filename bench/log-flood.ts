import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogResult } from "../src/logs/calls.ts";
import type { Bytes, Count } from "../src/units.ts";
import { Platform } from "./platform.ts";
import { below, holdings, percentile, type Sample } from "./tenants.ts";

/** Tenants that log as much as they may, each over so many connections without a pause. */
const FLOODS = ["long0", "long1", "short0", "short1"];
const CONNECTIONS = 2;
/** Tenants that log a line a request. */
const NEIGHBOURS = ["n0", "n1", "n2", "n3", "n4"];
const EVERY_MS = 100;
const INTERVAL_MS = 20_000;
/** Little, so that it is full soon: what comes then pushes out what was there. */
const MOST_STORED: Bytes = 256 * 2 ** 20;
/** Batches that are on their way have arrived by then. */
const ARRIVED_MS = 60_000;
const MB = 2 ** 20;

const LONG = `export default { fetch() {
	for (let i = 0; i < 1000; i++) console.log(String(i) + "x".repeat(1000));
	return new Response("flooded");
} };`;
const SHORT = `export default { fetch() {
	for (let i = 0; i < 10000; i++) console.log("line", i);
	return new Response("flooded");
} };`;
const NEIGHBOUR = `export default { fetch(request) {
	console.log("asked for", new URL(request.url).search);
	return new Response("said");
} };`;

/** What has happened within an interval, and what is held at its end. */
interface Row {
	seconds: number;
	requests: Count;
	failed: Count;
	p99Ms: number;
	floods: Count;
	edgeMb: number;
	controlMb: number;
	logMb: number;
	storedMb: number;
}

/** What a neighbour's requests have left in the log: a record and a line each. */
interface Kept {
	sent: Count;
	records: Count;
	lines: Count;
	lost: Count;
	/** How often the log had to be asked until all of it was counted. */
	pages: Count;
}

/** Minutes of tenants that flood the log, beside neighbours that log a line a request, on the whole platform. */
export async function benchLogFlood(given: string): Promise<{ rows: Row[]; kept: Record<string, Kept> }> {
	const minutes = Number(given || 10);
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-flood-"));
	const server = await Platform.start(folder, { logs: { maxBytes: MOST_STORED } });
	try {
		for (const tenant of FLOODS) await deploy(server, tenant, tenant.startsWith("long") ? LONG : SHORT);
		for (const tenant of NEIGHBOURS) await deploy(server, tenant, NEIGHBOUR);
		const rows: Row[] = [];
		const sent = new Map<string, Count>();
		const began = performance.now();
		let samples: Sample[] = [];
		let floods = 0;
		let isOver = false;
		const underWay = new Set<Promise<void>>();
		let turn = 0;
		const asking = setInterval(() => {
			const tenant = NEIGHBOURS[turn++ % NEIGHBOURS.length];
			const at = performance.now();
			const answered = statusOf(server, tenant, `/?${turn}`).then((status) => {
				samples.push({ at, ms: performance.now() - at, ok: status === 200 });
				sent.set(tenant, (sent.get(tenant) ?? 0) + 1);
				underWay.delete(answered);
			});
			underWay.add(answered);
		}, EVERY_MS / NEIGHBOURS.length);
		const flood = async (tenant: string) => {
			while (!isOver) {
				await statusOf(server, tenant, "/");
				floods++;
			}
		};
		const flooding = FLOODS.flatMap((tenant) => Array.from({ length: CONNECTIONS }, () => flood(tenant)));
		while (performance.now() - began < minutes * 60_000) {
			await sleep(INTERVAL_MS);
			rows.push({
				seconds: Math.round((performance.now() - began) / 1000),
				requests: samples.length,
				failed: samples.filter(({ ok }) => !ok).length,
				p99Ms: percentile(samples, 0.99),
				floods,
				edgeMb: heldBy(server.pid, /edge[/-]main/),
				controlMb: heldBy(server.pid, /control[/-]main/),
				logMb: heldBy(server.pid, /logs[/-]main/),
				storedMb: Math.round(bytesIn(join(folder, "logs")) / MB),
			});
			samples = [];
			floods = 0;
			console.log(Object.values(rows[rows.length - 1]).join("\t"));
		}
		clearInterval(asking);
		isOver = true;
		await Promise.all([...flooding, ...underWay]);
		const kept: Record<string, Kept> = {};
		for (const tenant of NEIGHBOURS) kept[tenant] = await keptOf(server, tenant, sent.get(tenant) ?? 0);
		console.log(`\n${FLOODS.length} tenants flood the log, ${NEIGHBOURS.length} log a line a request\n`);
		console.table(rows);
		console.table(kept);
		return { rows, kept };
	} finally {
		await server.stop();
		rmSync(folder, { recursive: true, force: true });
	}
}

async function deploy(server: Platform, tenant: string, code: string): Promise<void> {
	await server.release("f", (await server.upload("f", code, tenant)).id, tenant);
}

/** 0 where no whole answer has come. */
const statusOf = (server: Platform, tenant: string, path: string): Promise<number> =>
	server.get(`f.${tenant}`, path).catch(() => 0);

/** What the log has of a neighbour, once all of it has arrived or is known to be lost. */
async function keptOf(server: Platform, tenant: string, sent: Count): Promise<Kept> {
	const countOf = async (query: string) => {
		let count = 0;
		let pages = 0;
		for (let cursor: string | null = ""; cursor !== null; pages++) {
			const page: LogResult = await server.query(tenant, `${query} | count`, cursor === "" ? null : cursor);
			count += Number(page.rows[0][0]);
			lost = page.lost;
			cursor = page.cursor;
		}
		return { count, pages };
	};
	let lost = 0;
	for (const began = performance.now(); ; await sleep(1000)) {
		const { count: lines } = await countOf('message:"asked for"');
		const { count: records, pages } = await countOf("outcome:*");
		if (lines + records + lost >= 2 * sent || performance.now() - began > ARRIVED_MS)
			return { sent, records, lines, lost, pages };
	}
}

/** The resident memory of the process of a role below another one, in MB; what confines it comes before it. */
function heldBy(pid: number, role: RegExp): number {
	const found = below(pid).findLast((one) => role.test(commandOf(one)));
	if (found === undefined) return 0;
	return holdings(found).ownMb;
}

function commandOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, "utf8");
	} catch {
		return ""; // It has just ended.
	}
}

function bytesIn(folder: string): Bytes {
	const names = readdirSync(folder);
	return names.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
