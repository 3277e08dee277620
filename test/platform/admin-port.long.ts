import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";

const platform = await startPlatform();

const UPGRADE = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

/** A connection to the admin API on which a request was sent; it stays open when the other side has ended. */
async function sent(path: string, head = ""): Promise<Socket> {
	const socket = connect({ port: platform.adminPort, host: "127.0.0.1", allowHalfOpen: true });
	socket.on("error", () => undefined);
	await new Promise((connected) => socket.once("connect", connected));
	socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${head}\r\n`);
	return socket;
}

const heard = (socket: Socket): Promise<string> =>
	new Promise((done) => socket.once("data", (chunk: Buffer) => done(chunk.toString())));

test("who has no token cannot end control by asking for another protocol and going away", async () => {
	for (const path of ["/", "/client/v4/tails/a/b"])
		for (let i = 0; i < 5; i++) {
			const socket = await sent(path, UPGRADE);
			if (i % 2 === 1) await heard(socket);
			socket.resetAndDestroy();
		}
	assert.equal((await platform.api("GET", "/v1/whoami")).status, 200);
	assert.doesNotMatch(platform.log, /control has ended/);
});

test("another protocol than a tail's is not taken, and the request is answered as any", async () => {
	const socket = await sent("/healthz", "connection: upgrade, http2-settings\r\nupgrade: h2c\r\n");
	assert.match(await heard(socket), /^HTTP\/1\.1 200 OK/);
	socket.destroy();
});

test("a tail that nobody has asked for is refused, and its connection ends whatever the client does", async () => {
	const socket = await sent("/client/v4/tails/a/b", UPGRADE);
	const ended = new Promise((done) => socket.once("end", done));
	assert.match(await heard(socket), /^HTTP\/1\.1 404 Not Found/);
	await ended;
	// What it says now finds nobody.
	const closed = new Promise((done) => socket.once("close", done));
	const more = setInterval(() => socket.write("more"), 10);
	await closed;
	clearInterval(more);
});

test("control ends at once, whoever holds a tail open", async () => {
	await platform.deploy("tailed", "export default { fetch: () => new Response() };");
	const tails = "/client/v4/accounts/default/workers/scripts/tailed/tails";
	const { body } = await platform.api("POST", tails, {});
	const { pathname } = new URL((body as { result: { url: string } }).result.url);
	const socket = await sent(pathname, UPGRADE);
	assert.match(await heard(socket), /^HTTP\/1\.1 101 /);
	process.kill(platform.supervisor.child.pid as number, "SIGHUP");
	await platform.supervisor.until(/"msg":"restarted"/);
	assert.equal((await platform.api("GET", "/v1/whoami", undefined, TOKEN)).status, 200);
	socket.destroy();
});
