import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cpuProfile } from "../../src/link/cpu-profile.ts";
import { CommandLine, get, PORT } from "../support/command-line.ts";

const line = new CommandLine();

test("a function of `atoll dev` is profiled by hand, at its place in the source", async () => {
	const SLOW = `interface Sum { value: number }
export default { fetch(): Response { return Response.json(slow()); } };
function slow(): Sum { let value = 0; for (let i = 0; i < 1e6; i++) value = (value * 31 + i) % 1000003; return { value }; }
`;
	const folder = await line.write("slow", { "index.ts": SLOW });
	const dev = line.run(["dev", folder, "--port", "0"]);
	const [, port] = await dev.until(PORT);
	const output = join(line.folder, "slow.cpuprofile");
	const asking = line.run([
		"profile",
		"slow",
		"--dev",
		port,
		"--seconds",
		"60",
		"--requests",
		"20",
		"--output",
		output,
	]);
	let over = false;
	const done = asking.exit.finally(() => {
		over = true;
	});
	while (!over) await get(Number(port), "slow.localhost");
	assert.equal(await done, 0, asking.output());
	assert.match(asking.output(), /slow +\S*index\.ts:3\n/);
	cpuProfile.parse(JSON.parse(await readFile(output, "utf8")));

	for (const [path, why] of [
		["/cdn-cgi/profile?seconds=61", /seconds must be from 1 to 60/],
		["/cdn-cgi/profile?requests=0", /requests must be from 1 to/],
	] as const) {
		const { status, text } = await get(Number(port), "slow.localhost", {}, path);
		assert.equal(status, 400);
		assert.match(text, why);
	}
	dev.child.kill("SIGTERM");
	assert.equal(await dev.exit, 0);
});
