import assert from "node:assert/strict";
import { copyFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { Lines } from "../../src/feed/lines.ts";
import type { ToControl, ToEdge } from "../../src/feed/messages.ts";
import { say } from "../support/command-line.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { pidBelow } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const FUNCTIONS = "/v1/tenants/default/functions";

async function upload(name: string, variables: object, code = say("x")): Promise<string> {
	const form = new FormData();
	form.set("metadata", JSON.stringify({ main: "a.js", variables }));
	form.set("a.js", new File([code], "a.js", { type: "application/javascript+module" }));
	const response = await fetch(`http://127.0.0.1:${platform.adminPort}${FUNCTIONS}/${name}/versions`, {
		method: "POST",
		headers: { authorization: `Bearer ${TOKEN}` },
		body: form,
	});
	assert.equal(response.status, 200, await response.clone().text());
	return ((await response.json()) as { id: string }).id;
}

test("what edges are told of one function's versions is bounded: the latest can be looked at", async () => {
	const ids: string[] = [];
	for (let i = 0; i < 12; i++) ids.push(await upload("large", { LARGE: "x".repeat(250_000), MARK: i }));
	await platform.api("POST", `${FUNCTIONS}/large/releases`, { shares: [{ version: "1", percent: 100 }] });
	const at = async (id: string) => (await platform.get(`${id.slice(0, 8)}--large.localhost`)).status;
	assert.equal((await platform.get("large.localhost")).status, 200);
	assert.equal(await at(ids[11]), 200);
	assert.equal(await at(ids[2]), 404);
	// The one that has the traffic is told anyway.
	assert.equal(await at(ids[0]), 200);
});

test("what many requests ask for is told an edge once, as long as it does not change", async () => {
	const socket = connect(join(platform.data, "control.sock"));
	await using _ = { [Symbol.asyncDispose]: async () => void socket.destroy() };
	const told: string[] = [];
	let sought = 0;
	const control = new Lines<ToEdge, ToControl>(socket, (said) => {
		if (said.kind === "desired") told.push(...said.functions.map(({ name }) => name));
		if (said.kind === "sought") sought++;
	});
	const seek = async (count: number) => {
		const before = sought;
		for (let i = 0; i < count; i++) control.send({ kind: "seek", hostname: `x${i}--large.localhost` });
		await until(() => sought === before + count);
	};
	await seek(20);
	assert.deepEqual(told, ["large"]);
	await platform.atoll("pause", "large");
	await seek(1);
	assert.deepEqual(told, ["large", "large"]);
	await platform.atoll("resume", "large");
});

test("an edge follows a database that was restored under it", async () => {
	await platform.deploy("restored", say("before"));
	const file = join(platform.line.folder, "backup.tar");
	assert.equal((await platform.atoll("backup", file)).code, 0);
	await platform.deploy("restored", say("after"));
	await platform.deploy("later", say("later"));
	const aside = join(platform.line.folder, "aside");
	assert.equal(await platform.line.run(["restore", file, "--data", aside]).exit, 0);
	// Nobody starts control again while its database is away.
	const supervisor = platform.supervisor.child;
	supervisor.kill("SIGSTOP");
	process.kill(pidBelow(supervisor.pid as number, /src\/control\/main/), "SIGKILL");
	for (const suffix of ["-wal", "-shm"]) await rm(join(platform.data, `control.sqlite${suffix}`), { force: true });
	await copyFile(join(aside, "control.sqlite"), join(platform.data, "control.sqlite"));
	supervisor.kill("SIGCONT");
	await until(async () => (await platform.get("later.localhost")).status === 404);
	assert.equal((await platform.get("restored.localhost")).text, "before");
	await platform.deploy("afterwards", say("afterwards"));
	assert.equal((await platform.get("afterwards.localhost")).text, "afterwards");
});

test("a version that an edge cannot run is no other's harm, and what has the traffic is served", async () => {
	await platform.deploy("mixed", say("fine"));
	const id = await upload("mixed", {}, say("looked at"));
	assert.equal((await platform.get(`${id.slice(0, 8)}--mixed.localhost`)).text, "looked at");
	assert.equal(await platform.stop(), 0);
	const database = new DatabaseSync(join(platform.data, "control.sqlite"));
	const changed = database
		.prepare("UPDATE documents SET value = json_set(value, '$.bindings', json(?)) WHERE kind = 'version' AND key = ?")
		.run(`{"A":{"type":"of another atoll"}}`, `default/mixed/${id}`);
	assert.equal(changed.changes, 1);
	database.close();
	await platform.up();
	assert.equal((await platform.get("mixed.localhost")).text, "fine");
	assert.equal((await platform.get(`${id.slice(0, 8)}--mixed.localhost`)).status, 404);
	await platform.supervisor.until(/cannot be served/);
});
