#!/usr/bin/env node
import { existsSync } from "node:fs";

if (Number(process.versions.node.split(".")[0]) < 24) {
	console.error(`atoll needs Node.js 24 or newer, and this is ${process.versions.node}.`);
	process.exit(1);
}
// A checkout runs from its source, which Node reads as it is; the package holds dist/ alone.
const source = new URL("../src/cli/main.ts", import.meta.url);
const { main } = await import(existsSync(source) ? source.href : "../dist/cli/main.js");
await main(process.argv.slice(2));
