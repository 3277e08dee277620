/**
 * `npm run fuzz [-- --target NAME] [--minutes N] [--seed N] [--past TEXT] [--replay FILE]`: tries hostile things on a real edge for
 * an hour, or as long as it is told, shared among the targets. Ends with 1 where anybody but its author notices one of them.
 */
import { parseArgs } from "node:util";
import { described } from "./complaint.ts";
import { explore, replay, secondsSince } from "./explore.ts";
import { keep, readFinding } from "./finding.ts";
import { TARGETS } from "./targets/index.ts";

const { values } = parseArgs({
	options: {
		target: { type: "string", multiple: true },
		minutes: { type: "string", default: "60" },
		seed: { type: "string" },
		past: { type: "string", multiple: true, default: [] },
		replay: { type: "string" },
	},
});

if (values.replay !== undefined) {
	const finding = readFinding(values.replay);
	const complaints = await replay(finding);
	console.log(complaints.length === 0 ? "nobody noticed" : complaints.map(described).join("\n"));
	process.exit(complaints.length === 0 ? 0 : 1);
}

const chosen = TARGETS.filter(({ name }) => values.target?.includes(name) ?? true);
if (chosen.length < (values.target?.length ?? 1)) {
	console.error(`the targets are ${TARGETS.map(({ name }) => name).join(", ")}`);
	process.exit(2);
}
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const ms = (Number(values.minutes) * 60_000) / chosen.length;
console.log(`seed ${seed}`);
let found = 0;
for (const target of chosen) {
	const began = performance.now();
	const tell = (line: string) => console.log(`${target.name}: ${line}`);
	const { cases, findings } = await explore(target, { seed, ms, past: values.past, tell });
	const noticed = findings.length === 0 ? "nobody noticed" : `${findings.length} findings`;
	tell(`${cases} cases in ${secondsSince(began)} s from seed ${seed}: ${noticed}\n`);
	found += findings.length;
	for (const finding of findings) {
		tell(finding.found);
		console.log(JSON.stringify(finding.case, null, "\t"));
		console.log(`try it again: npm run fuzz -- --replay ${keep(finding)}`);
		console.log(`find it again: npm run fuzz -- --target ${target.name} --seed ${finding.seed}\n`);
	}
}
process.exit(found === 0 ? 0 : 1);
