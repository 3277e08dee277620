/**
 * `npm run bench [-- NAME[=ARGUMENT] …]`: the short ones, or those that are named, as in `hostile=NAME`, `soak=MINUTES`,
 * `log-flood=MINUTES`, `logs=RECORDS,DAYS`, `clients=SECONDS,KIND`, `scaling=SECONDS,ROUNDS`, `before=CHECKOUT`,
 * `isolates=CHECKOUT` and `turns=CHECKOUT`; prints tables and writes them as JSON and as charts.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { benchBefore } from "./before.ts";
import { benchBodies } from "./bodies.ts";
import { chart } from "./chart.ts";
import { benchClients } from "./clients.ts";
import { benchCold } from "./cold.ts";
import { benchDeploy } from "./deploy.ts";
import { benchFairness } from "./fairness.ts";
import { benchHostile } from "./hostile.ts";
import { benchHttp } from "./http.ts";
import { benchIsolates } from "./isolates.ts";
import { benchLaunch } from "./launch.ts";
import { benchLogFlood } from "./log-flood.ts";
import { benchLogs } from "./logs.ts";
import { benchMany } from "./many.ts";
import { benchMicro } from "./micro.ts";
import { benchObserve } from "./observe.ts";
import { benchScaling } from "./scaling.ts";
import { benchSoak } from "./soak.ts";
import { benchStart } from "./start.ts";
import { benchStores } from "./stores.ts";
import { benchTakeover } from "./takeover.ts";
import { benchTurns } from "./turns.ts";
import { benchUpstream } from "./upstream.ts";
import { benchZipf } from "./zipf.ts";

type Bench = (argument: string) => Promise<unknown>;
const SHORT: Record<string, Bench> = {
	micro: benchMicro,
	isolates: benchIsolates,
	turns: benchTurns,
	cold: benchCold,
	deploy: () => benchDeploy(),
	start: () => benchStart(),
	zipf: () => benchZipf(),
	launch: () => benchLaunch(),
	http: () => benchHttp(),
	many: () => benchMany(),
	bodies: () => benchBodies(),
	stores: benchStores,
	logs: benchLogs,
};
/** Only when asked for: they take a quarter of an hour each. */
const LONG: Record<string, Bench> = {
	before: benchBefore,
	fairness: benchFairness,
	scaling: benchScaling,
	clients: benchClients,
	takeover: () => benchTakeover(),
	upstream: () => benchUpstream(),
	observe: () => benchObserve(),
	hostile: benchHostile,
	soak: benchSoak,
	"log-flood": benchLogFlood,
};

const all = { ...SHORT, ...LONG };
const asked = process.argv.slice(2).map((word) => {
	const [name, argument = ""] = word.split("=");
	return { name, argument };
});
const unknown = asked.filter(({ name }) => !Object.hasOwn(all, name));
if (unknown.length > 0) {
	const names = unknown.map(({ name }) => name).join(", ");
	console.error(`there is no bench ${names}; there are ${Object.keys(all).join(", ")}`);
	process.exit(1);
}
const results: Record<string, unknown> = {
	machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, v8: process.versions.v8 },
};
const chosen = asked.length > 0 ? asked : Object.keys(SHORT).map((name) => ({ name, argument: "" }));
mkdirSync("bench/results", { recursive: true });
for (const { name, argument } of chosen) {
	results[name] = await all[name](argument);
	const svg = chart(name, results[name]);
	if (svg !== null) writeFileSync(`bench/results/${name}.svg`, svg);
}
const file = `bench/results/${asked.length === 0 ? "all" : asked.map(({ name }) => name).join("-")}.json`;
writeFileSync(file, `${JSON.stringify(results, null, "\t")}\n`);
console.log(`\nwritten to ${file}`);
