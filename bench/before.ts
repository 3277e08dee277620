import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";

const ROUNDS = 7;
const SECONDS = 3;
const COPIES = 60;
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

/**
 * This checkout beside another, `before`. In a round both are up and are asked in turn, request by request where they are cold, since the
 * machine's own pace changes from second to second by more than what is looked for.
 */
export async function benchBefore(before: string): Promise<Row[]> {
	if (before === "") throw new Error("name the other checkout: npm run bench -- before=FOLDER");
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-before-"));
	const rounds: { before: Sample; now: Sample }[] = [];
	try {
		for (let round = 0; round < ROUNDS; round++) {
			const checkouts = [resolve(before), resolve(".")];
			const turns = round % 2 === 0 ? checkouts : checkouts.toReversed();
			const samples = await measure(turns, (at) => join(folder, String(at)));
			rounds.push({ before: samples[turns.indexOf(checkouts[0])], now: samples[turns.indexOf(checkouts[1])] });
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
	console.log(`\nThis checkout beside ${before}: medians of ${ROUNDS} rounds, both up and asked in turn\n`);
	console.table(rows);
	return rows;
}

/** A sample of each checkout, in their order. Each keeps its artifacts in a folder of its own. */
async function measure(checkouts: string[], data: (at: number) => string): Promise<Sample[]> {
	const servers: Contender[] = [];
	try {
		for (const [at, checkout] of checkouts.entries())
			servers.push(await Contender.start(checkout, "checkout.ts", [checkout, data(at), String(COPIES)]));
		const ports = servers.map((server) => server.port);
		const cold = await coldUs(ports);
		const inTurn = async <T>(ask: (port: number) => Promise<T>) => {
			const answers: T[] = [];
			for (const port of ports) answers.push(await ask(port));
			return answers;
		};
		await inTurn((port) => load(port, { connections: 16, seconds: SECONDS }));
		const one = await inTurn((port) => load(port, { connections: 1, seconds: SECONDS }));
		const many = await inTurn((port) => load(port, { connections: 64, seconds: SECONDS }));
		const hono = { host: "app", path: "/users/42", seconds: SECONDS };
		await inTurn((port) => load(port, { connections: 16, ...hono }));
		const honoMany = await inTurn((port) => load(port, { connections: 64, ...hono }));
		return checkouts.map((_, at) => ({
			"c=1, p50 in us": one[at].p50Us,
			"c=64, us a request": 1e6 / many[at].requestsPerSecond,
			"c=64 Hono, us a request": 1e6 / honoMany[at].requestsPerSecond,
			"cold Hono, p50 in us": cold[at],
		}));
	} finally {
		await Promise.all(servers.map((server) => server.stop()));
		for (const at of checkouts.keys()) rmSync(data(at), { recursive: true, force: true });
	}
}

/** The first request of each copy: of the first on every port, of the second on every port … */
async function coldUs(ports: number[]): Promise<number[]> {
	const agent = new Agent({ keepAlive: true });
	const get = (port: number, host: string) =>
		new Promise<number>((done, reject) => {
			const began = performance.now();
			request({ port, host: "127.0.0.1", path: "/users/42", agent, headers: { host } }, (res) =>
				res.resume().on("end", () => done((performance.now() - began) * 1000)),
			)
				.on("error", reject)
				.end();
		});
	const times = ports.map((): number[] => []);
	for (let copy = 0; copy < COPIES; copy++)
		for (let turn = 0; turn < ports.length; turn++) {
			const at = (copy + turn) % ports.length;
			await new Promise((next) => setTimeout(next, PAUSE_MS));
			times[at].push(await get(ports[at], `cold${copy}.localhost`));
		}
	agent.destroy();
	return times.map(median);
}
