import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./load.ts";
import { fill, Platform } from "./platform.ts";

const ROUNDS = 5;
const COUNTS = [1, 100, 10_000];
const CODE = 'export default { fetch: () => new Response("hello") };';

interface Sample {
	/** From the start of `atoll up` until it says that it is ready, in ms. */
	ready: number;
	/** From its start to the first answer of one of them, in ms. */
	firstAnswer: number;
	/** A process of Node that does nothing, in the same run, in ms. */
	node: number;
}

interface Row extends Sample {
	functions: number;
}

/** What it takes `atoll up` to start, by the number of functions that it has. */
export async function benchStart(): Promise<Row[]> {
	const folders = new Map<number, string>();
	const samples = new Map<number, Sample[]>(COUNTS.map((count) => [count, []]));
	try {
		for (const count of COUNTS) {
			const folder = mkdtempSync(join(tmpdir(), "atoll-bench-start-"));
			folders.set(count, folder);
			await fill(folder, count, CODE);
		}
		for (let round = 0; round < ROUNDS; round++)
			for (const [count, folder] of folders) samples.get(count)?.push(await start(folder, count));
	} finally {
		for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true });
	}
	const rows = [...samples].map(([functions, all]): Row => {
		const of = (key: keyof Sample) => Math.round(median(all.map((one) => one[key])));
		return { functions, ready: of("ready"), firstAnswer: of("firstAnswer"), node: of("node") };
	});
	console.log(`\nA start of \`atoll up\`, medians of ${ROUNDS} in ms\n`);
	console.table(rows);
	return rows;
}

async function start(folder: string, count: number): Promise<Sample> {
	const before = performance.now();
	await new Promise((done) => spawn(process.execPath, ["-e", "0"]).once("exit", done));
	const node = performance.now() - before;
	const from = performance.now();
	const server = await Platform.start(folder);
	try {
		const ready = performance.now() - from;
		const status = await server.get(`f${Math.floor(count / 2)}`);
		if (status !== 200) throw new Error(`the first answer was ${status}`);
		return { ready, firstAnswer: performance.now() - from, node };
	} finally {
		await server.stop();
	}
}
