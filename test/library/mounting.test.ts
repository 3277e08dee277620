import assert from "node:assert/strict";
import { before, test } from "node:test";
import express from "express";
import { WebSocket } from "ws";
import { Listening } from "../support/listening.ts";
import { exchange } from "../support/raw-http.ts";
import { errorCode, TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline" });
before(async () => {
	await atoll.deploy(
		"shop",
		`export default { fetch(request) {
			if (request.headers.get("upgrade") === "websocket") {
				const { 0: client, 1: server } = new WebSocketPair();
				server.accept();
				server.send(new URL(request.url).pathname);
				return new Response(null, { status: 101, webSocket: client });
			}
			const { pathname, search } = new URL(request.url);
			return new Response(pathname + search + " " + request.client.ip);
		} }`,
		{ tenant: "acme" },
	);
	await atoll.deploy("known", "export default { fetch: () => new Response('known') }", { hostnames: ["127.0.0.1"] });
});

test("Express goes on with hostnames that no function has", async () => {
	const app = express();
	app.use(atoll.runtime.nodeHandler);
	app.use((_, res) => void res.send("the app's own"));
	await using server = await Listening.on(app);
	assert.equal(await (await server.fetch("/")).text(), "known");
	const { port } = server;
	assert.equal(await (await fetch(`http://localhost:${port}/`)).text(), "the app's own");
	const { length } = atoll.records;
	assert.match(await exchange(port, "GET / HTTP/1.0\r\n\r\n"), /the app's own$/);
	assert.equal(atoll.records.length, length);
});

test("Express sends no 100 Continue that nobody asked for", async () => {
	const app = express();
	app.use(atoll.runtime.nodeHandler);
	await using server = await Listening.on(app);
	const head = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx";
	assert.match(await exchange(server.port, head), /^HTTP\/1\.1 200 OK\r\n/);
});

test("a function is reached without its hostname, below a path that it does not see", async () => {
	const mounted = atoll.runtime.nodeHandler({
		function: { tenant: "acme", name: "shop" },
		prefix: "/shop",
		client: ({ headers }) => headers["x-real-ip"] as string | undefined,
	});
	const app = express();
	app.use(mounted);
	app.use((req, res) => void res.send(`not ${req.url}`));
	await using server = await Listening.on(app);
	for (const [path, seen] of [
		["/shop", "/ 127.0.0.1"],
		["/shop/", "/ 127.0.0.1"],
		["/shop?a=/shop", "/?a=/shop 127.0.0.1"],
		["/shop/cart//x?b", "/cart//x?b 127.0.0.1"],
		["/shopping", "not /shopping"],
		["/a/shop", "not /a/shop"],
	])
		assert.equal(await (await server.fetch(path)).text(), seen, path);
	const client = async (ip: string) => (await server.fetch("/shop", { headers: { "x-real-ip": ip } })).text();
	assert.equal(await client("192.0.2.7"), "/ 192.0.2.7");
	assert.equal(await client("nowhere"), "/ 127.0.0.1");
	// What leads out of the path leads out of the function.
	const out = await exchange(server.port, "GET /shop/%2e%2e/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	assert.match(out, /not \/shop\/%2e%2e\/x$/);
});

test("where nobody comes next, what no function is for is refused", async () => {
	await using server = await Listening.on(atoll.runtime.nodeHandler({ function: "known", prefix: "/known" }));
	assert.equal(await (await server.fetch("/known/x")).text(), "known");
	assert.equal(await errorCode(await server.fetch("/x")), "path_not_found");
	await using other = await Listening.on(atoll.runtime.nodeHandler({ function: "nobody" }));
	assert.equal(await errorCode(await other.fetch("/x")), "function_not_found");
});

test("a WebSocket reaches a function below a path", async () => {
	await using server = await Listening.on((_, res) => res.end());
	const options = { function: { tenant: "acme", name: "shop" }, prefix: "/live" };
	server.server.on("upgrade", atoll.runtime.upgradeHandler(options));
	const socket = new WebSocket(`ws://127.0.0.1:${server.port}/live/feed`);
	const said = await new Promise((resolve, reject) => {
		socket.once("message", (data) => resolve(String(data)));
		socket.once("error", reject);
	});
	assert.equal(said, "/feed");
	socket.terminate();
});

test("mounts that make no sense are refused", () => {
	for (const [options, message] of [
		[{ prefix: "shop" }, /prefix: must be a path/],
		[{ prefix: "/" }, /prefix: must be a path/],
		[{ prefix: "/a/../b" }, /prefix: must have no segments/],
		[{ function: "a/b" }, /function: must be/],
		[{ client: "x" }, /client: must be a function/],
		[{ hostname: "a" }, /hostname/],
	] as const)
		assert.throws(() => atoll.runtime.nodeHandler(options as object), {
			name: "UsageError",
			code: "invalid_option",
			message,
		});
});

test("fetch takes what the global one does, and a function's name beside it", async () => {
	const { runtime } = atoll;
	assert.equal(await (await runtime.fetch("http://127.0.0.1/")).text(), "known");
	assert.equal(await (await runtime.fetch(new URL("http://127.0.0.1/"), { method: "POST" })).text(), "known");
	const to = { function: { tenant: "acme", name: "shop" }, client: { ip: "2001:db8::1" } };
	assert.equal(await (await runtime.fetch("http://any.test/a?b#c", undefined, to)).text(), "/a?b 2001:db8::1");
	assert.equal(await (await runtime.fetch("http://any.test/", {}, { function: "known" })).text(), "known");
	assert.equal(await errorCode(await runtime.fetch("http://a.test/", {}, { function: "shop" })), "function_not_found");
	await assert.rejects(runtime.fetch("/relative"), { name: "TypeError" });
	await assert.rejects(runtime.fetch("http://a.test/", {}, { client: { ip: "x" } }), { code: "invalid_option" });
	const used = new Request("http://127.0.0.1/", { method: "POST", body: "x" });
	await used.text();
	await assert.rejects(runtime.fetch(used), { name: "TypeError", message: /body was read/ });
});

test("what is in service is listed, with whose it is and where", async () => {
	const { runtime } = atoll;
	const shop = { tenant: "acme", name: "shop", hostnames: ["shop.test"] };
	const { version, ...rest } = runtime.get({ tenant: "acme", name: "shop" }) ?? { version: "" };
	assert.deepEqual(rest, shop);
	assert.match(version, /^[0-9a-f]{8,}$/);
	assert.equal(runtime.get("shop"), null);
	const names = runtime.list().map(({ tenant, name }) => `${tenant}/${name}`);
	assert.deepEqual(names.sort(), ["acme/shop", "default/known"]);
});
