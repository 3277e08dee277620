import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { CommandLine, PORT } from "../support/command-line.ts";

const line = new CommandLine();

/** Sends a developer's request to a hostname; gives the status and what was answered. */
function send(port: number, host: string, path: string, body = ""): Promise<{ status: number; said: unknown }> {
	return new Promise((resolve, reject) => {
		request({ port, host: "127.0.0.1", path, method: "POST", headers: { host } }, (res) => {
			let text = "";
			res.setEncoding("utf8").on("data", (chunk) => {
				text += chunk;
			});
			res.on("end", () => resolve({ status: res.statusCode ?? 0, said: JSON.parse(text) }));
		})
			.on("error", reject)
			.end(body);
	});
}

test("dev: events are sent to functions by hand, and what came of them is told", async () => {
	const path = await line.write("by-hand", {
		"all.js": `
export default {
	fetch: () => new Response("a request"),
	scheduled({ cron, scheduledTime }) { if (cron === "fail") throw new Error("at " + scheduledTime); },
	queue({ queue, messages: [message] }) { if (message.body.again) message.retry({ delaySeconds: 7 }); },
	storage({ changes: [change] }) { console.log(JSON.stringify(change)); if (change.key) change.retry(); },
};`,
		"plain.js": `export default { fetch: () => new Response("a request") };`,
	});
	const run = line.run(["dev", path, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	const at = (path: string, body?: string, host = "all.localhost") =>
		send(port, host, `/cdn-cgi/handler/${path}`, body);
	assert.deepEqual(await at("scheduled?cron=*+*+*+*+*"), {
		status: 200,
		said: { outcome: "ok", error: null, retry: false },
	});
	const failed = await at("scheduled?cron=fail&time=12");
	assert.equal(failed.status, 500);
	assert.match((failed.said as { error: string }).error, /at 12/);
	assert.deepEqual(await at("queue?queue=q", '{"again":true}'), {
		status: 200,
		said: { outcome: "ok", error: null, acknowledged: [], retried: [{ id: "1", delaySeconds: 7 }] },
	});
	assert.deepEqual(await at("storage?bucket=b&key=cat.png&size=3"), {
		status: 200,
		said: { outcome: "ok", error: null, acknowledged: ["1"], retried: [] },
	});
	await run.until(/PutObject.*cat\.png/);
	const retried = { acknowledged: [], retried: [{ id: "1", delaySeconds: null }] };
	const ofKey = await at("storage?kv=n&key=k&action=DeleteKey");
	assert.deepEqual(ofKey.said, { outcome: "ok", error: null, ...retried });
	assert.equal((await at("storage?bucket=b&key=k&action=Nothing")).status, 400);
	assert.equal(((await at("scheduled", "", "plain.localhost")).said as { outcome: string }).outcome, "no_handler");
	assert.match(((await at("queue")).said as { error: string }).error, /queue/);
	assert.match(((await at("mail")).said as { error: string }).error, /there is no \/cdn-cgi\/handler\/mail/);
	assert.match(((await at("scheduled", "", "none.test")).said as { error: string }).error, /no function is served at/);
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
});
