import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fill, Platform } from "./platform.ts";
import { holdings } from "./tenants.ts";

const FUNCTIONS = 10_000;
const CONNECTIONS = 16;
/** What isolates may take in each lane, so that all processes together hold a gigabyte. */
const MAX_BYTES = 200 * 2 ** 20;
const WARM_UP = 3000;
const REQUESTS = 6000;
/** What a request takes is told for each of these parts of the hostnames, the most asked for first. */
const PARTS = [100, 1000, FUNCTIONS];

const CODE = "export default { fetch: (request) => new Response(new URL(request.url).pathname) };";

interface Row {
	hostnames: string;
	/** Of all requests, in percent. */
	share: number;
	/** Of its requests, those that found an isolate, in percent. */
	hitRate: number;
	p50Ms: number;
	p99Ms: number;
}

/** One request, and the place of its hostname in the order of how often each is asked for. */
interface Sample {
	rank: number;
	ms: number;
}

/** Ten thousand hostnames that are asked for by Zipf's law, where isolates have room for some hundreds of them. */
export async function benchZipf(): Promise<{ rows: Row[]; holdsMb: number; errors: number }> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-zipf-"));
	try {
		await fill(folder, FUNCTIONS, CODE);
		/** Of each function, by its number, how often it was asked for, and found no isolate. */
		const asked = new Map<number, { all: number; cold: number }>();
		let isMeasured = false;
		let rest = "";
		const server = await Platform.start(folder, { cache: { maxBytes: MAX_BYTES, maxIsolates: FUNCTIONS } }, (text) => {
			const lines = (rest + text).split("\n");
			rest = lines.pop() ?? "";
			for (const line of isMeasured ? lines : []) {
				const [, number, cold] = /"function":"f(\d+)".*"cold":(true|false)/.exec(line) ?? [];
				if (number === undefined) continue;
				const one = asked.get(Number(number)) ?? { all: 0, cold: 0 };
				one.all++;
				if (cold === "true") one.cold++;
				asked.set(Number(number), one);
			}
		});
		try {
			const draw = zipf(FUNCTIONS);
			let errors = 0;
			const samples: Sample[] = [];
			const send = async (count: number) => {
				let left = count;
				const connection = async () => {
					while (left-- > 0) {
						const rank = draw();
						const began = performance.now();
						if ((await server.get(`f${rank}`, "/path")) !== 200) errors++;
						if (isMeasured) samples.push({ rank, ms: performance.now() - began });
					}
				};
				await Promise.all(Array.from({ length: CONNECTIONS }, connection));
			};
			await send(WARM_UP);
			isMeasured = true;
			await send(REQUESTS);
			const holdsMb = Math.round(holdings(server.pid).mb);
			await server.stop(); // Its log is whole then.
			const rows = PARTS.map((end, i): Row => {
				const from = PARTS[i - 1] ?? 0;
				const isIn = (rank: number) => rank >= from && rank < end;
				const times = samples.filter(({ rank }) => isIn(rank)).map(({ ms }) => ms);
				times.sort((a, b) => a - b);
				const counts = [...asked].filter(([number]) => isIn(number)).map(([, one]) => one);
				const all = counts.reduce((sum, one) => sum + one.all, 0);
				const cold = counts.reduce((sum, one) => sum + one.cold, 0);
				return {
					hostnames: `${from + 1} to ${end}`,
					share: Math.round((times.length / samples.length) * 100),
					hitRate: Math.round((1 - cold / Math.max(1, all)) * 1000) / 10,
					p50Ms: tenths(times[Math.floor(times.length / 2)]),
					p99Ms: tenths(times[Math.floor(times.length * 0.99)]),
				};
			});
			console.log(
				`\n${FUNCTIONS} hostnames by Zipf's law, c=${CONNECTIONS}; all processes hold ${holdsMb} MB; ${errors} errors\n`,
			);
			console.table(rows);
			return { rows, holdsMb, errors };
		} finally {
			await server.stop();
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

const tenths = (value = 0) => Math.round(value * 10) / 10;

/** Draws numbers from 0: each is drawn as often as its place from 1 says, one half as often as one and so on. */
function zipf(count: number): () => number {
	const ends: number[] = [];
	let end = 0;
	for (let i = 1; i <= count; i++) {
		end += 1 / i;
		ends.push(end);
	}
	let state = 1;
	// The same numbers in every run (mulberry32).
	const random = () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	return () => {
		const point = random() * end;
		let low = 0;
		let high = count - 1;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (ends[middle] < point) low = middle + 1;
			else high = middle;
		}
		return low;
	};
}
