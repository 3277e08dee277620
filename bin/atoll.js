#!/usr/bin/env node
import { existsSync } from "node:fs";

if (Number(process.versions.node.split(".")[0]) < 24) {
	console.error(`atoll needs Node.js 24 or newer, and this is ${process.versions.node}.`);
	process.exit(1);
}
// The package holds dist/, a checkout may hold the source alone.
const built = new URL("../dist/cli/main.js", import.meta.url);
const { main } = await import(existsSync(built) ? built.href : "../src/cli/main.ts");
await main(process.argv.slice(2));
