import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { test } from "node:test";
import { createRuntime, type Runtime } from "../../src/index.ts";
import { Listening } from "../support/listening.ts";
import { errorCode, temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const folder = temporaryFolder();
const entry = `${folder}/guest.js`;
const HANGS = `
	export default { fetch(request) {
		if (!request.url.endsWith("/hang")) return new Response("there");
		return new Promise((resolve) => { setTimeout(() => resolve(new Response("finished")), 300); });
	} }`;
const NEVER = `export default { fetch: () => new Promise((resolve) => setTimeout(resolve, 3600_000)) }`;

async function started(source: string): Promise<Runtime> {
	const runtime = await createRuntime({ isolation: "inline", data: `${folder}/data` });
	await writeFile(entry, source);
	await runtime.deploy({ name: "guest", hostnames: ["127.0.0.1"], entry });
	return runtime;
}

test("a runtime that closes finishes what it has, and refuses what comes", async () => {
	const runtime = await started(HANGS);
	const records: string[] = [];
	runtime.subscribe({ record: ({ outcome }) => void records.push(outcome) });
	await using server = await Listening.on(runtime.nodeHandler);
	const agent = new Agent({ keepAlive: true });
	// A client that keeps its connection, and knows when the server does not.
	const ask = (path: string) =>
		new Promise<{ status: number; connection: string; text: string }>((resolve, reject) => {
			get(server.origin + path, { agent }, (res) => {
				let text = "";
				res.on("data", (part) => {
					text += part;
				});
				res.on("end", () => resolve({ status: res.statusCode ?? 0, connection: String(res.headers.connection), text }));
			}).on("error", reject);
		});
	const { text, connection } = await ask("/");
	assert.deepEqual([text, connection], ["there", "keep-alive"]);
	const inFlight = ask("/hang");
	await until(() => runtime.stats().inFlight === 1);
	const closed = runtime.close();
	const late = await ask("/");
	assert.deepEqual([late.status, late.connection], [503, "close"]);
	assert.match(late.text, /shutting_down/);
	assert.equal(await errorCode(await runtime.fetch("http://127.0.0.1/")), "shutting_down");
	assert.equal((await inFlight).text, "finished");
	await closed;
	assert.deepEqual(records, ["ok", "shutting_down", "shutting_down", "ok"]);
	agent.destroy();

	const refused = { name: "UsageError", code: "closed" };
	await assert.rejects(runtime.deploy({ name: "late", hostnames: ["late.test"], entry }), refused);
	assert.throws(() => runtime.deployBroken({ name: "late", hostnames: ["late.test"] }, "why"), refused);
	await assert.rejects(runtime.remove({ name: "guest" }), refused);
	assert.throws(() => runtime.list(), refused);
	assert.throws(() => runtime.get("guest"), refused);
});

test("what does not end in time is cut off", async () => {
	const runtime = await started(NEVER);
	await using server = await Listening.on(runtime.nodeHandler);
	const outcomes: string[] = [];
	runtime.subscribe({ record: ({ outcome }) => void outcomes.push(outcome) });
	const hanging = server.fetch("/").then(errorCode);
	await until(() => runtime.stats().inFlight === 1);
	await runtime.close({ timeoutMs: 1 });
	assert.equal(await hanging, "shutting_down");
	await until(() => outcomes.length === 1);
	assert.deepEqual(outcomes, ["shutting_down"]);
	assert.throws(() => runtime.close({ timeoutMs: -1 }), { code: "invalid_option", message: /timeoutMs/ });
});

test("nobody waits for a client that has cut its connection within the answer", async () => {
	const runtime = await started(
		`export default { fetch: () => new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(65536)) })) }`,
	);
	await using server = await Listening.on(runtime.nodeHandler);
	for (let i = 0; i < 3; i++) {
		await new Promise<void>((resolve, reject) => {
			get(server.origin, (res) => res.once("data", () => resolve(void res.destroy()))).on("error", reject);
		});
		await until(() => runtime.stats().inFlight === 0 && runtime.stats().heldBytes === 0);
	}
	await runtime.close({ timeoutMs: 3600_000 });
});
