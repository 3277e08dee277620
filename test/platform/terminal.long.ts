import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const bin = resolve("bin/atoll.js");
const folder = temporaryFolder();
const pidFile = join(folder, "data", "atoll.pid");

/** A server in a terminal of its own, by `script` of util-linux, which is there where its end is. */
function inTerminal(): { terminal: ChildProcess; output: () => string } {
	const command = `exec ${process.execPath} ${bin} up --data data --port 0 --admin-port 0`;
	const args = ["--quiet", "--command", command, "/dev/null"];
	const terminal = spawn("script", args, { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
	after(() => terminal.kill("SIGKILL"));
	let text = "";
	terminal.stdout?.setEncoding("utf8").on("data", (part: string) => {
		text += part;
	});
	return { terminal, output: () => text };
}

test("in a terminal SIGHUP restarts the server, but for the one with which the terminal goes: that ends it", async () => {
	const { terminal, output } = inTerminal();
	await until(() => output().includes("functions  http://"));
	const pid = Number(readFileSync(pidFile, "utf8"));
	process.kill(pid, "SIGHUP");
	await until(() => output().includes("restarted"));
	terminal.kill("SIGKILL");
	// It removes that when it has ended all that it has started.
	await until(() => !existsSync(pidFile));
	await until(() => !existsSync(`/proc/${pid}`));
	assert.doesNotMatch(output(), /is started again/);
});
