import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";

const ROUNDS = 7;
const SECONDS = 3;
const COPIES = 30;
/** Isolates are parked between two cold starts, as they are between those of a real day. */
const PAUSE_MS = 40;

/** What is measured of a checkout in a round; of each the smaller one is the better. */
interface Sample {
	"c=1, p50 in us": number;
	"c=64, us a request": number;
	"c=64 Hono, us a request": number;
	"cold Hono, p50 in us": number;
}

interface Row {
	line: string;
	before: number;
	now: number;
	/** The median of the rounds' ratios, now over before. */
	ratio: number;
}

/** This checkout beside another, `before`, in alternating rounds. */
export async function benchBefore(before: string): Promise<Row[]> {
	if (before === "") throw new Error("name the other checkout: npm run bench -- before=FOLDER");
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-before-"));
	const rounds: { before: Sample; now: Sample }[] = [];
	try {
		for (let round = 0; round < ROUNDS; round++) {
			const first = round % 2 === 0;
			const one = await measure(first ? resolve(before) : resolve("."), join(folder, first ? "before" : "now"));
			const other = await measure(first ? resolve(".") : resolve(before), join(folder, first ? "now" : "before"));
			rounds.push(first ? { before: one, now: other } : { before: other, now: one });
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	const rows = (Object.keys(rounds[0].now) as (keyof Sample)[]).map((line) => ({
		line,
		before: Math.round(median(rounds.map((round) => round.before[line]))),
		now: Math.round(median(rounds.map((round) => round.now[line]))),
		ratio: Math.round(median(rounds.map((round) => round.now[line] / round.before[line])) * 1000) / 1000,
	}));
	console.log(`\nThis checkout beside ${before}: medians of ${ROUNDS} alternating rounds\n`);
	console.table(rows);
	return rows;
}

async function measure(checkout: string, data: string): Promise<Sample> {
	const server = await Contender.start(checkout, "checkout.ts", [checkout, data, String(COPIES)]);
	try {
		const { port } = server;
		const cold = await coldUs(port);
		await load(port, { connections: 16, seconds: SECONDS });
		const one = await load(port, { connections: 1, seconds: SECONDS });
		const many = await load(port, { connections: 64, seconds: SECONDS });
		const hono = { host: "app", path: "/users/42" };
		await load(port, { connections: 16, seconds: SECONDS, ...hono });
		const honoMany = await load(port, { connections: 64, seconds: SECONDS, ...hono });
		return {
			"c=1, p50 in us": one.p50Us,
			"c=64, us a request": 1e6 / many.requestsPerSecond,
			"c=64 Hono, us a request": 1e6 / honoMany.requestsPerSecond,
			"cold Hono, p50 in us": cold,
		};
	} finally {
		await server.stop();
	}
}

/** The first request of each copy, one after the other. */
async function coldUs(port: number): Promise<number> {
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const get = (host: string) =>
		new Promise<number>((done, reject) => {
			const began = performance.now();
			request({ port, host: "127.0.0.1", path: "/users/42", agent, headers: { host } }, (res) =>
				res.resume().on("end", () => done((performance.now() - began) * 1000)),
			)
				.on("error", reject)
				.end();
		});
	const times: number[] = [];
	for (let i = 0; i < COPIES; i++) {
		await new Promise((next) => setTimeout(next, PAUSE_MS));
		times.push(await get(`cold${i}.localhost`));
	}
	agent.destroy();
	return median(times);
}
