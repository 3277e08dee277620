#!/usr/bin/env node
import { existsSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { nodeProblem } from "./node-version.cjs";

const problem = nodeProblem();
if (problem !== null) {
	console.error(
		`${problem} In a checkout \`npm run atoll\` has its own; elsewhere \`npm install node\` brings one to this folder.`,
	);
	process.exit(1);
}
// A response that is streamed fast has the edge collect garbage ten times a second, and V8's helpers would do it on
// the core that a sandbox needs: its neighbours' p99 is 14 ms with them and 8 without (npm run bench --
// hostile=endless-stream).
setFlagsFromString("--no-concurrent-marking");
// Functions' names are resolved on Node's thread pool, where a name server that keeps silent holds a thread
// (src/bindings/fetch/edge/names.ts).
process.env.UV_THREADPOOL_SIZE ??= "16";
// A checkout runs from its source, which Node reads as it is, and faster where it may keep what it makes of it; the
// package holds dist/ alone.
const source = new URL("../src/cli/main.ts", import.meta.url);
const isCheckout = existsSync(source);
if (isCheckout) module.enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/atoll/modules", import.meta.url)));
const { main } = await import(isCheckout ? source.href : "../dist/cli/main.js");
await main(process.argv.slice(2));
