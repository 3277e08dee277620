import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

test("a function compiles with atoll's types alone, and what it does not have is an error", async () => {
	const run = promisify(execFile);
	const { stdout } = await run("node_modules/.bin/tsc", ["-p", "test/types"]).catch(
		(error: { stdout: string }) => error,
	);
	assert.equal(stdout, "");
});
