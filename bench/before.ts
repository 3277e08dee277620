import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Contender } from "./contender.ts";
import { type Load, load, median } from "./load.ts";
import { cpuUs, killNormal, normalSandbox } from "./sandboxes.ts";

const ROUNDS = 7;
const SECONDS = 3;
const COPIES = 60;
/** Isolates are parked between two cold starts, as they are between those of a real day. */
const PAUSE_MS = 40;
/** How often a sandbox is killed in a round, and how long its function is watched after that. */
const KILLS = 3;
const TAKEOVER_MS = 500;

/** What is measured of a checkout in a round; of each the smaller one is the better. */
interface Sample {
	"c=1, p50 in us": number;
	"c=64, us a request": number;
	"c=64 Hono, us a request": number;
	"cold Hono, p50 in us": number;
	"turn, us of the sandbox": number;
	"turn of Hono, us of the sandbox": number;
	"takeover, ms": number;
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
		const cold = await coldUs(servers.map((server) => server.port));
		const inTurn = async <T>(ask: (server: Contender) => Promise<T>) => {
			const answers: T[] = [];
			for (const server of servers) answers.push(await ask(server));
			return answers;
		};
		const hello = { seconds: SECONDS };
		const hono = { host: "app", path: "/users/42", seconds: SECONDS };
		await inTurn(({ port }) => load(port, { connections: 16, ...hello }));
		const one = await inTurn(({ port }) => load(port, { connections: 1, ...hello }));
		const many = await inTurn((server) => loadMany(server, hello));
		await inTurn(({ port }) => load(port, { connections: 16, ...hono }));
		const honoMany = await inTurn((server) => loadMany(server, hono));
		const takeover = await inTurn(takeoverMs);
		return checkouts.map((_, at) => ({
			"c=1, p50 in us": one[at].p50Us,
			"c=64, us a request": 1e6 / many[at].requestsPerSecond,
			"c=64 Hono, us a request": 1e6 / honoMany[at].requestsPerSecond,
			"cold Hono, p50 in us": cold[at],
			"turn, us of the sandbox": many[at].turnUs,
			"turn of Hono, us of the sandbox": honoMany[at].turnUs,
			"takeover, ms": takeover[at],
		}));
	} finally {
		await Promise.all(servers.map((server) => server.stop()));
		for (const at of checkouts.keys()) rmSync(data(at), { recursive: true, force: true });
	}
}

/** Many clients at once, and what each of their requests cost the sandbox. */
async function loadMany(
	server: Contender,
	what: { seconds: number; host?: string; path?: string },
): Promise<Load & { turnUs: number }> {
	const sandbox = await normalSandbox(server.pid);
	const before = cpuUs(sandbox);
	const result = await load(server.port, { connections: 64, ...what });
	const spent = cpuUs(sandbox) - before;
	return { ...result, turnUs: spent / (result.requestsPerSecond * what.seconds) };
}

/** How long a function is without an answer when its sandbox is killed, by the median of several kills. */
async function takeoverMs({ pid, port }: Contender): Promise<number> {
	const agent = new Agent({ keepAlive: true });
	const times: number[] = [];
	for (let kill = 0; kill < KILLS; kill++) {
		while (!(await answers(port, agent))) await sleep(20);
		const killed = killNormal(pid);
		const began = performance.now();
		// The first answers may still be those of the sandbox that is killed.
		let last = began;
		for (let at = began; at - began < TAKEOVER_MS; at = performance.now()) {
			if (await answers(port, agent)) {
				const gap = performance.now() - last;
				times[kill] = Math.max(times[kill] ?? 0, gap);
				last = performance.now();
			}
			await sleep(1);
		}
		await killed;
	}
	agent.destroy();
	return median(times);
}

/** Whether the hello function answers. */
function answers(port: number, agent: Agent): Promise<boolean> {
	return new Promise((done) => {
		request({ port, host: "127.0.0.1", path: "/", agent, headers: { host: "f0.localhost" } }, (res) =>
			res.resume().on("end", () => done(res.statusCode === 200)),
		)
			.on("error", () => done(false))
			.end();
	});
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
			await sleep(PAUSE_MS);
			times[at].push(await get(ports[at], `cold${copy}.localhost`));
		}
	agent.destroy();
	return times.map(median);
}
