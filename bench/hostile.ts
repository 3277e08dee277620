import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";

const NEIGHBOURS = 50;
/** Each neighbour is asked so often; together they are a steady load that is far from what either server can do. */
const EVERY_MS = 100;
const CALM_MS = 2000;
const CALLS = 10;
const ATTACK_MS = 6000;

interface Row {
	adversary: string;
	server: string;
	requests: number;
	failed: number;
	calmP99Ms: number;
	attackP99Ms: number;
	worstMs: number;
	answeredMs: number | string;
	lost: number | string;
	peakMb: number;
}

interface Sample {
	at: number;
	ms: number;
	ok: boolean;
}

/** For each adversary: neighbours under steady load while it is called ten times, on atoll and on workerd. */
export async function benchHostile(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-hostile-"));
	const rows: Row[] = [];
	try {
		for (const file of readdirSync("test/adversaries")) {
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
	const contender = await Contender.start(server, `tenants-${server}.ts`, [data, String(NEIGHBOURS), file]);
	const agent = new Agent({ keepAlive: true, maxSockets: 200 });
	const samples: Sample[] = [];
	let peak = 0;
	const ask = (host: string, timeout: number) =>
		new Promise<number>((resolve) => {
			const req = request({ port: contender.port, host: "127.0.0.1", agent, headers: { host: `${host}.localhost` } });
			// A timer of its own: the socket's timeout does not run while the request waits for a socket.
			const timer = setTimeout(() => end(0), timeout);
			const end = (status: number) => {
				clearTimeout(timer);
				if (status === 0) req.destroy();
				resolve(status);
			};
			req.on("response", (res) => {
				res.on("data", () => undefined);
				res.on("end", () => end(res.complete ? (res.statusCode ?? 0) : 0));
				res.on("error", () => end(0));
			});
			req.on("error", () => end(0));
			req.end();
		});
	const pending: Promise<unknown>[] = [];
	let turn = 0;
	const timers = [
		setInterval(() => {
			const i = turn++ % NEIGHBOURS;
			const at = performance.now();
			pending.push(
				ask(`n${i}`, 3000).then((status) => samples.push({ at, ms: performance.now() - at, ok: status === 200 })),
			);
		}, EVERY_MS / NEIGHBOURS),
	];
	const memory = setInterval(() => {
		peak = Math.max(peak, treeMb(contender.pid));
	}, 100);
	// Warm up, until the neighbours have proven light, then a calm that the attack is held against.
	await new Promise((resolve) => setTimeout(resolve, 4000));
	samples.length = 0;
	await new Promise((resolve) => setTimeout(resolve, CALM_MS));
	const began = performance.now();
	const answers: number[] = [];
	for (let i = 0; i < CALLS && performance.now() - began < ATTACK_MS; i++) {
		const at = performance.now();
		if ((await ask("adversary", 3500)) !== 0) answers.push(performance.now() - at);
	}
	for (const timer of timers) clearInterval(timer);
	await Promise.all(pending);
	clearInterval(memory);
	agent.destroy();
	const output = await contender.stop();
	const calm = samples.filter(({ at }) => at < began);
	const attacked = samples.filter(({ at }) => at >= began);
	return {
		adversary: file.replace(/^.*\/|\.js$/g, ""),
		server,
		requests: attacked.length,
		failed: attacked.filter(({ ok }) => !ok).length,
		calmP99Ms: percentile(calm, 0.99),
		attackP99Ms: percentile(attacked, 0.99),
		worstMs: percentile(attacked, 1),
		answeredMs: answers.length === 0 ? "never" : Math.round(answers.toSorted((a, b) => a - b)[answers.length >> 1]),
		lost: /restarts (\d+)/.exec(output)?.[1] ?? (/ended (\S+)/.test(output) ? "all" : 0),
		peakMb: Math.round(peak),
	};
}

function percentile(samples: Sample[], share: number): number {
	const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
	return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
}

/** Resident memory of a process and all below it. */
function treeMb(pid: number): number {
	try {
		const own = (Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096) / 2 ** 20;
		const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
		return children.reduce((sum, child) => sum + treeMb(Number(child)), own);
	} catch {
		return 0; // It has just ended.
	}
}
