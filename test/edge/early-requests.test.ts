import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { earlyRequests } from "../../src/edge/early-requests.ts";
import { Follower } from "../../src/edge/follower.ts";
import { Lines } from "../../src/feed/lines.ts";
import type { DesiredFunction, ToControl, ToEdge } from "../../src/feed/messages.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const atoll = new TestRuntime({ isolation: "inline" });

/** A function that is paused has nothing to be built, and an answer of its own. */
const paused = (name: string): DesiredFunction => ({
	...{ tenant: "default", name, hostnames: [`${name}.test`], provisioned: 0, maxInstances: 0 },
	...{ shares: [], sticky: null, previews: {}, triggers: { crons: [], queues: [], storage: [] }, versions: [] },
});

/** A control that says what a test has it say, and an edge that follows it. */
async function start() {
	const said: ToControl[] = [];
	let edge!: Lines<ToControl, ToEdge>;
	let connection!: Socket;
	const control = createServer((socket) => {
		connection = socket;
		socket.on("error", () => undefined);
		edge = new Lines(socket, (value) => {
			said.push(value);
			if (value.kind === "follow") edge.send({ kind: "watch", scopes: [], origins: [] });
		});
	});
	const path = join(atoll.folder, `control-${Math.random()}.sock`);
	control.listen(path);
	await once(control, "listening");
	const follower = new Follower(path, await atoll.ready());
	await follower.connect();
	follower.follow();
	const server = new HttpServer(earlyRequests(atoll.runtime, follower));
	const { port } = await server.listen(0, "127.0.0.1");
	const sought = () => said.flatMap((one) => (one.kind === "seek" ? [one.hostname] : []));
	const tell = (functions: DesiredFunction[], sequence: number | null = null) =>
		edge.send({
			kind: "desired",
			sequence,
			whole: sequence !== null,
			functions,
			removed: [],
			sources: [],
			removedSources: [],
		});
	return {
		port,
		sought,
		tell,
		found: (hostname: string) => edge.send({ kind: "sought", hostname }),
		cut: () => connection.destroy(),
		async [Symbol.asyncDispose]() {
			follower.close();
			connection.destroy();
			control.close();
			await server.close();
		},
	};
}

function get(port: number, host: string): Promise<number | undefined> {
	return new Promise((done, reject) => {
		request({ port, host: "127.0.0.1", headers: { host }, agent: false }, (res) =>
			res.resume().on("end", () => done(res.statusCode)),
		)
			.on("error", reject)
			.end();
	});
}

test("a request that comes before its function was heard of waits for it, and for no other", async () => {
	await using control = await start();
	const { port, sought, tell, found, cut } = control;
	const first = get(port, "a.test");
	const second = get(port, "a.test:80");
	const unknown = get(port, "nobody.test");
	await until(() => sought().length === 2);
	assert.deepEqual(sought().sort(), ["a.test", "nobody.test"]);
	// Control is lost on the way, and asked again.
	cut();
	await until(() => sought().length === 4);
	found("nobody.test");
	assert.equal(await unknown, 404);
	tell([paused("a")]);
	found("a.test");
	assert.deepEqual(await Promise.all([first, second]), [503, 503]);
	// Once all is known nobody is asked any more.
	const last = get(port, "b.test");
	await until(() => sought().length === 5);
	tell([paused("a"), paused("b")], 1);
	assert.equal(await last, 503);
	assert.equal(await get(port, "later.test"), 404);
	assert.equal(sought().length, 5);
});

test("an upgrade waits likewise, and a client that leaves meanwhile is nobody's harm", async () => {
	await using control = await start();
	const { port, sought, tell } = control;
	const headers = {
		connection: "upgrade",
		upgrade: "websocket",
		"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
		"sec-websocket-version": "13",
	};
	const upgrading = request({ port, host: "127.0.0.1", headers: { ...headers, host: "c.test" }, agent: false });
	const answered = once(upgrading, "response");
	upgrading.end();
	const leaving = request({ port, host: "127.0.0.1", headers: { ...headers, host: "d.test" }, agent: false });
	leaving.on("error", () => undefined).end();
	await until(() => sought().length === 2);
	leaving.destroy();
	tell([paused("c"), paused("d")], 1);
	const [{ statusCode }] = await answered;
	assert.equal(statusCode, 503);
	assert.equal(atoll.runtime.stats().faults, 0);
});
