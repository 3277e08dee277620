import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";

const ROUNDS = 5;
const SECONDS = 2;
const CONNECTIONS = 16;
const STEPS = {
	"a request that stores nothing": "/nothing",
	"KV get": "/get",
	"KV put": "/put",
	"queue send": "/send",
	"SQL select": "/select",
	"SQL batch": "/batch",
	"cache match": "/match",
	"cache put": "/cache",
	"objects get 1 KB": "/object/1",
	"objects get 1 MB": "/object/1024",
	"objects put 1 KB": "/put-object/1",
	"objects put 1 MB": "/put-object/1024",
};

interface Row {
	step: string;
	atoll: number;
	miniflare: number;
	overMiniflare: number;
	/** Its p50 over that of a request that stores nothing, with atoll, in the same round. */
	overNothing: number;
}

/**
 * Requests a second that read and write stores, with atoll and with miniflare, in alternating rounds. `only`: of the steps
 * those whose names have this word, beside the request that stores nothing.
 */
export async function benchStores(only = ""): Promise<Row[]> {
	const [nothing] = Object.keys(STEPS);
	const steps = Object.entries(STEPS).filter(([name]) => name === nothing || name.includes(only));
	const contenders = {
		atoll: await Contender.start("atoll", "stores-atoll.ts"),
		miniflare: await Contender.start("miniflare", "stores-miniflare.ts"),
	};
	try {
		const perSecond: Record<string, number[]> = {};
		const p50: Record<string, number[]> = {};
		for (const [name, { port }] of Object.entries(contenders)) {
			for (const [step] of steps) {
				perSecond[`${name} ${step}`] = [];
				p50[`${name} ${step}`] = [];
			}
			for (const path of ["/put", "/keep", "/create", "/batch", "/begin/1", "/begin/1024"])
				await load(port, { connections: 1, seconds: 1, path });
		}
		for (let round = 0; round < ROUNDS; round++)
			for (const [step, path] of steps)
				for (const [name, { port }] of Object.entries(contenders)) {
					const { requestsPerSecond, p50Us, errors } = await load(port, {
						connections: CONNECTIONS,
						seconds: SECONDS,
						path,
					});
					if (errors > 0 && name === "atoll") throw new Error(`${errors} requests of ${path} have failed`);
					// Miniflare fails some that send to a queue.
					perSecond[`${name} ${step}`].push(requestsPerSecond - errors / SECONDS);
					p50[`${name} ${step}`].push(p50Us);
				}
		const rows = steps.map(([step]): Row => {
			const atoll = median(perSecond[`atoll ${step}`]);
			const miniflare = median(perSecond[`miniflare ${step}`]);
			const round = (ratio: number) => Math.round(ratio * 100) / 100;
			return {
				step,
				atoll: Math.round(atoll),
				miniflare: Math.round(miniflare),
				overMiniflare: round(atoll / miniflare),
				overNothing: round(median(p50[`atoll ${step}`].map((one, i) => one / p50[`atoll ${nothing}`][i]))),
			};
		});
		console.log(`\nStores, c=${CONNECTIONS}: requests a second, medians of ${ROUNDS} rounds\n`);
		console.table(rows);
		return rows;
	} finally {
		for (const contender of Object.values(contenders)) await contender.stop();
	}
}
