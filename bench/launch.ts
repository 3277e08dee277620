import { spawn } from "node:child_process";
import { Launcher, niceness } from "../src/processes/launcher.ts";
import { median } from "./load.ts";

const ROUNDS = 15;
/** What an edge has in memory, and what it does all the time. */
const OBJECTS = 2_000_000;
const BUSY = 2;

interface Row {
	started: string;
	medianMs: number;
	worstMs: number;
}

/** How long the event loop stands still while a process is started: by the process itself, and by the launcher. */
export async function benchLaunch(): Promise<Row[]> {
	const heap = Array.from({ length: OBJECTS }, (_, at) => ({ at }));
	const launcher = new Launcher();
	const args = ["-e", ""];
	const launch = (what: string[]) =>
		launcher.launch(
			{ command: process.execPath, args: what, env: {}, niceness: niceness(10), file: null },
			{ onLaunched: () => undefined, onEnded: () => undefined },
		);
	// Two processes that compute, below everything else, are what keeps both cores busy.
	const busy = Array.from({ length: BUSY }, () => launch(["-e", "for (;;);"]));
	const ways: Record<string, () => Promise<unknown>> = {
		"by itself": () => new Promise((resolve) => spawn(process.execPath, args, { stdio: "ignore" }).on("exit", resolve)),
		"by the launcher": () => launch(args).exited,
		nothing: () => new Promise((resolve) => setTimeout(resolve, 100)),
	};
	await launch(args).exited;
	const worst = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
	for (let round = 0; round < ROUNDS; round++)
		for (const [name, way] of Object.entries(ways)) worst.get(name)?.push(await longestGap(way, heap));
	for (const process of busy) process.kill();
	await launcher.close();
	const rows = [...worst].map(([started, gaps]) => ({
		started,
		medianMs: Math.round(median(gaps) * 10) / 10,
		worstMs: Math.round(Math.max(...gaps) * 10) / 10,
	}));
	console.log("\nStarting a process: for how long the event loop of an edge with 2 million objects stands still\n");
	console.table(rows);
	return rows;
}

/** The longest that one round of the event loop takes while something goes on, with a little to do and to write in each. */
async function longestGap(way: () => Promise<unknown>, heap: { at: number }[]): Promise<number> {
	let last = performance.now();
	let longest = 0;
	let over = false;
	const round = () => {
		for (let i = 0; i < 200; i++) heap[Math.floor(Math.random() * heap.length)].at++;
		const now = performance.now();
		longest = Math.max(longest, now - last);
		last = now;
		if (!over) setImmediate(round);
	};
	setImmediate(round);
	await way();
	over = true;
	return longest;
}
