import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLine, PORT } from "../support/command-line.ts";
import { until } from "../support/until.ts";

const line = new CommandLine();
const SECRET = "a secret of the tests";
const LOGS = `export default {
	fetch: () => new Response("a request"),
	event({ id, source, type, data }) { console.log("event", id, source, type, JSON.stringify(data)); },
	queue({ messages: [{ body }] }) { console.log("message", JSON.stringify(body)); },
	scheduled({ cron }) { console.log("time", cron); },
};`;

function send(port: number, path: string, body: string, { secret = SECRET, id = "1" } = {}): Promise<number> {
	const headers = {
		host: "events.localhost",
		"x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
		"x-github-event": "push",
		"x-github-delivery": id,
		"content-length": Buffer.byteLength(body),
	};
	return new Promise((resolve, reject) => {
		const asked = request({ host: "127.0.0.1", port, method: "POST", path, headers, agent: false }, (response) => {
			response.resume();
			resolve(response.statusCode ?? 0);
		});
		asked.on("error", reject);
		asked.end(body);
	});
}

const config = (sources: object) => JSON.stringify({ sources });
const hub = { scheme: "github", secretFile: "hub.secret" };

test("serve takes events of the sources that functions name, with secrets from their folders", async () => {
	const path = await line.write("served", {
		"one/atoll.jsonc": config({
			hub,
			other: { ...hub, secretFile: "nowhere" },
			out: { ...hub, secretFile: "../two/hub.secret" },
		}),
		"one/index.js": LOGS,
		"one/hub.secret": `${SECRET}\n`,
		"two/atoll.jsonc": config({ hub: { ...hub, types: ["push"] } }),
		"two/index.js": LOGS.replace('"event"', '"second"'),
		"two/hub.secret": `${SECRET}\n`,
		"three/atoll.jsonc": config({ hub }),
		"three/index.js": LOGS.replace('"event"', '"third"'),
		"three/hub.secret": "another secret of theirs",
		"linked/atoll.jsonc": config({ linked: hub }),
		"linked/index.js": LOGS,
	});
	await symlink("/etc/hostname", join(path, "linked/hub.secret"));
	const run = line.run(["serve", path, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	assert.match(run.output(), /the source default\/other is not there: .*nowhere.* cannot be read/);
	assert.match(run.output(), /the source default\/out is not there: .*leads out of its folder/);
	assert.match(run.output(), /the source default\/linked is not there: .*leads out of its folder/);
	assert.match(run.output(), /the source default\/hub is another function's/);
	assert.equal(await send(port, "/events/hub", '{"a":1}'), 202);
	await run.until(/event 1 \/events\/hub push/);
	await run.until(/second 1 \/events\/hub push/);
	assert.equal(await send(port, "/events/other", "{}"), 401);
	assert.doesNotMatch(run.output(), /third/);
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
});

test("dev takes them, too, follows changes of their secrets, and atoll trigger calls handlers there", async () => {
	const path = await line.write("developed", {
		"logs/atoll.jsonc": config({ hub }),
		"logs/index.js": LOGS,
		"logs/hub.secret": SECRET,
	});
	const run = line.run(["dev", path, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	assert.equal(await send(port, "/events/hub", "{}", { id: "first" }), 202);
	await run.until(/event first/);
	const trigger = async (...args: string[]) => {
		const asked = line.run(["trigger", ...args, "--dev", String(port)]);
		return { code: await asked.exit, output: asked.output() };
	};
	assert.match((await trigger("cron", "logs", "--cron", "0 9 * * *")).output, /"outcome":"ok"/);
	await run.until(/time 0 9 \* \* \*/);
	assert.equal((await trigger("queue", "logs", "--queue", "q", "--data", '{"b":2}')).code, 0);
	await run.until(/message \{\\"b\\":2\}/);
	assert.equal((await trigger("event", "logs", "--type", "made", "--data", "text")).code, 0);
	await run.until(/event [\w-]+ \/manual made \\"text\\"/);
	assert.equal((await trigger("event", "nobody", "--type", "made")).code, 2);
	await writeFile(join(path, "logs/hub.secret"), "a newer secret of it");
	await until(async () => (await send(port, "/events/hub", "2", { secret: "a newer secret of it", id: "2" })) === 202);
	assert.equal(await send(port, "/events/hub", "3", { id: "3" }), 401);
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
});

test("without any source the path is a function's", async () => {
	const path = await line.write("none", { "events/index.js": LOGS });
	const run = line.run(["serve", path, "--port", "0"]);
	const port = Number((await run.until(PORT))[1]);
	await run.until(/"msg":"ready"/);
	assert.equal(await send(port, "/events/hub", "{}"), 200);
	run.child.kill("SIGTERM");
	assert.equal(await run.exit, 0);
});
