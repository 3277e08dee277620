import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { percentile, Tenants } from "./tenants.ts";

const NEIGHBOURS = 50;
const EVERY_MS = 100;
const WARM_UP_MS = 6000;
const PHASE_MS = 4000;
const KINDS = [
	"plain",
	"gzip-bomb",
	"brotli-bomb",
	"zstd-bomb",
	"zstd-window",
	"gzip-gzip",
	"zstd-zstd",
	"empty-members",
	"tiny-gzip",
	"many-headers",
	"tiny-chunks",
	"chunk-extension",
	"trailers",
	"informational",
];

interface Row {
	upstream: string;
	requests: number;
	failed: number;
	p99Ms: number;
	worstMs: number;
}

/** What neighbours feel while one function fetches from a server that does harm, one kind of it after the other. */
export async function benchUpstream(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-upstream-"));
	const upstream = await Contender.start("upstream", "upstream.ts");
	const contender = await Contender.start("atoll", "tenants-atoll.ts", [
		folder,
		String(NEIGHBOURS),
		"bench/functions/fetches.js",
	]);
	const tenants = new Tenants(contender.port, NEIGHBOURS);
	const rows: Row[] = [];
	try {
		tenants.start(EVERY_MS);
		await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
		for (const kind of ["none", ...KINDS]) {
			tenants.samples = [];
			const end = performance.now() + PHASE_MS;
			const path = `/?http://127.0.0.2:${upstream.port}/${kind}`;
			if (kind === "none") await new Promise((resolve) => setTimeout(resolve, PHASE_MS));
			else while (performance.now() < end) await tenants.ask("fetches", 4000, path);
			const { samples } = tenants;
			rows.push({
				upstream: kind,
				requests: samples.length,
				failed: samples.filter(({ ok }) => !ok).length,
				p99Ms: percentile(samples, 0.99),
				worstMs: percentile(samples, 1),
			});
		}
	} finally {
		await tenants.stop();
		await Promise.all([contender.stop(), upstream.stop()]);
		rmSync(folder, { recursive: true, force: true });
	}
	console.log(`\nOne function fetches from a server that does harm, beside ${NEIGHBOURS} neighbours\n`);
	console.table(rows);
	return rows;
}
