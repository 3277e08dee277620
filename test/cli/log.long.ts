import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { after, test } from "node:test";
import { exchange, statusOf } from "../support/raw-http.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";

/** `atoll serve` of a function that logs 200 KB, which whoever reads the log has just begun to do. */
async function serve() {
	const folder = temporaryFolder();
	const entry = join(folder, "loud.js");
	await writeFile(
		entry,
		`export default { fetch() { for (let i = 0; i < 20; i++) console.log("x".repeat(10_000)); return new Response("ok"); } };`,
	);
	const args = [resolve("bin/atoll.js"), "serve", entry, "--port", "0", "--isolation", "inline"];
	const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
	after(() => child.kill("SIGKILL"));
	const exited = once(child, "exit");
	const output = child.stdout as Readable;
	let text = "";
	output.setEncoding("utf8").on("data", (chunk: string) => {
		text += chunk;
	});
	await until(() => text.includes('"msg":"ready"'));
	const port = Number(/"url":"http:\/\/[^"]*?:(\d+)"/.exec(text)?.[1]);
	return { child, exited, output, port, text: () => text };
}

test("a log that nobody reads holds up no request: lines are dropped, and counted once somebody reads", async () => {
	const { output, port, text } = await serve();
	output.pause();
	for (let i = 0; i < 60; i++) assert.equal(statusOf(await exchange(port, REQUEST)), 200);
	output.resume();
	await until(() => /"lines":\d+,"msg":"\d+ lines were dropped/.test(text()));
	const dropped = Number(/"lines":(\d+)/.exec(text())?.[1]);
	// Each request has 20 lines and a record; all that are not there are accounted for.
	assert.equal(statusOf(await exchange(port, REQUEST)), 200);
	await until(
		() => text().split('"msg":"x').length - 1 + text().split('"msg":"request"').length - 1 === 61 * 21 - dropped,
	);
	assert.ok(text().length < 10 * 2 ** 20, `${text().length} of ${61 * 200_000} bytes were kept`);
});

test("a log that nobody reads does not keep the server from its end", async () => {
	const { child, exited, output, port } = await serve();
	output.pause();
	for (let i = 0; i < 40; i++) assert.equal(statusOf(await exchange(port, REQUEST)), 200);
	child.kill("SIGTERM");
	assert.deepEqual(await exited, [0, null]);
});
