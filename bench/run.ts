/** `npm run bench [-- micro|cold|http|hostile …]`: all of it, or the named parts; prints tables and writes them as JSON. */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { benchCold } from "./cold.ts";
import { benchHostile } from "./hostile.ts";
import { benchHttp } from "./http.ts";
import { benchMicro } from "./micro.ts";

const BENCHES: Record<string, () => Promise<unknown>> = { micro: benchMicro, cold: benchCold, http: benchHttp };
/** Only when asked for: it takes a quarter of an hour. */
const LONG: Record<string, () => Promise<unknown>> = { hostile: benchHostile };

const asked = process.argv.slice(2);
const all = { ...BENCHES, ...LONG };
const unknown = asked.filter((name) => !Object.hasOwn(all, name));
if (unknown.length > 0) {
	console.error(`there is no bench ${unknown.join(", ")}; there are ${Object.keys(all).join(", ")}`);
	process.exit(1);
}
const results: Record<string, unknown> = {
	machine: { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version, v8: process.versions.v8 },
};
for (const [name, bench] of Object.entries(asked.length === 0 ? BENCHES : all)) {
	if (asked.length === 0 || asked.includes(name)) results[name] = await bench();
}
mkdirSync("bench/results", { recursive: true });
const file = `bench/results/${asked.length === 0 ? "all" : asked.join("-")}.json`;
writeFileSync(file, `${JSON.stringify(results, null, "\t")}\n`);
console.log(`\nwritten to ${file}`);
