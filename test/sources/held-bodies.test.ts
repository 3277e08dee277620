import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import { statusOf } from "../support/raw-http.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const SECRET = "a secret of the tests";
const atoll = new TestRuntime({ sandboxes: 1, maxHeldBytes: 2 ** 22 });
let server: HttpServer;
let port = 0;
before(async () => {
	const runtime = await atoll.ready();
	const rule = { types: ["*"], queue: "told", retries: 0, deadLetterQueue: null };
	const source = { tenant: "default", name: "slow", scheme: "github" as const, secrets: [SECRET], rules: [rule] };
	runtime.sources.apply([source], []);
	server = new HttpServer(runtime.receiving("events.test", runtime));
	port = (await server.listen(0, "127.0.0.1")).port;
});
after(() => server.close());

const signed = (body: string) => ({
	"x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
	"x-github-event": "push",
});

test("bodies for no source, however many are on their way, cut none of a tenant's", async () => {
	const begun = (path: string, length: number, headers: Record<string, string>) => {
		const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
		const socket = connect(port, "127.0.0.1").on("error", () => undefined);
		socket.write(`POST ${path} HTTP/1.1\r\nhost: events.test\r\n${lines.join("")}content-length: ${length}\r\n\r\n`);
		return socket;
	};
	const body = JSON.stringify("x".repeat(200_000));
	const own = begun("/events/slow", body.length, signed(body));
	own.write(body.slice(0, -1));
	await until(() => atoll.runtime.stats().heldBytes >= body.length - 1);
	// GitHub's heads, which is the scheme of some of these decoys.
	const others = Array.from({ length: 120 }, (_, i) => begun(`/events/nobody-${i}/x`, 200_000, signed("")));
	for (const socket of others) socket.write("x".repeat(100_000));
	await until(() => others.some(({ closed }) => closed));
	own.write(body.slice(-1));
	const [told] = await Promise.race([once(own, "data"), once(own, "close")]);
	assert.equal(statusOf(String(told)), 202);
	for (const socket of [...others, own]) socket.destroy();
	await until(() => atoll.runtime.stats().heldBytes === 0);
});
