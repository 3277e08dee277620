import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { AddressGuard } from "../../src/bindings/fetch/edge/addresses.ts";
import { errorCode, inBothIsolations, TestRuntime } from "../support/runtime.ts";

inBothIsolations("egress", (isolation) => {
	const atoll = new TestRuntime({
		isolation,
		egress: { allow: ["127.0.0.1"], deny: ["denied.test"] },
		limits: { subrequests: 5 },
	});
	let origin: Server;
	let port: number;

	before(async () => {
		origin = createServer((req, res) => {
			const url = new URL(req.url ?? "/", "http://origin");
			if (url.pathname === "/redirect")
				res.writeHead(Number(url.searchParams.get("status")), { location: url.searchParams.get("to") ?? "" }).end();
			else if (url.pathname === "/odd") res.socket?.end("HTTP/1.1 999 No\r\ncontent-length: 0\r\n\r\n");
			else if (url.pathname === "/gzip") res.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("unpacked"));
			else if (url.pathname === "/cut") {
				res.writeHead(200, { "content-length": "100" });
				res.write("begun", () => res.destroy());
			} else if (url.pathname === "/hang") res.writeHead(200).write("first");
			else {
				let body = "";
				req.setEncoding("latin1").on("data", (chunk: string) => {
					body += chunk;
				});
				req.on("end", () =>
					res.writeHead(200, { "content-type": "application/json", "x-origin": "yes" }).end(
						JSON.stringify({
							method: req.method,
							path: req.url,
							headers: req.headers,
							body: body.slice(0, 100),
							bytes: body.length,
						}),
					),
				);
			}
		});
		await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
		port = (origin.address() as AddressInfo).port;
		await atoll.deploy(
			"out",
			`const AsyncFunction = (async () => {}).constructor; export default { async fetch(r, env) { try { return Response.json({ value: await new AsyncFunction("ORIGIN", await r.text())(env.ORIGIN) }); } catch (e) { return Response.json({ error: e.name + ": " + e.message }); } } };`,
			{ env: { ORIGIN: `http://127.0.0.1:${port}` } },
		);
	});
	after(() => {
		origin.closeAllConnections();
		origin.close();
	});

	async function run(code: string): Promise<{ value?: unknown; error?: string }> {
		return JSON.parse(await atoll.text("out", "/", { method: "POST", body: code })) as {
			value?: unknown;
			error?: string;
		};
	}

	test("a request goes out with its method, headers and body, and no header of this connection", async () => {
		const { value } = await run(
			`const r = await fetch(ORIGIN + "/p?q=1", { method: "PUT", headers: { "x-a": "b", connection: "x-a", host: "evil", "transfer-encoding": "chunked", "content-length": "5" }, body: "content" }); return { ok: r.ok, url: r.url, header: r.headers.get("x-origin"), got: await r.json() };`,
		);
		const { ok, url, header, got } = value as {
			ok: boolean;
			url: string;
			header: string;
			got: { method: string; path: string; headers: Record<string, string>; body: string };
		};
		assert.deepEqual(
			[ok, url, header, got.method, got.path, got.body],
			[true, `http://127.0.0.1:${port}/p?q=1`, "yes", "PUT", "/p?q=1", "content"],
		);
		assert.equal(got.headers.host, `127.0.0.1:${port}`);
		assert.equal(got.headers["x-a"], "b");
		assert.equal(got.headers["content-length"], "7");
	});

	test("a streamed body goes out, and a compressed one comes in unpacked", async () => {
		const { value } =
			await run(`const body = new ReadableStream({ start(c) { for (let i = 0; i < 40; i++) c.enqueue(new Uint8Array(20_000).fill(65)); c.close(); } });
		const r = await fetch(ORIGIN, { method: "POST", body, duplex: "half" }); const z = await fetch(ORIGIN + "/gzip"); return [(await r.json()).bytes, await z.text(), z.headers.get("content-encoding")];`);
		assert.deepEqual(value, [800_000, "unpacked", null]);
	});

	test("redirects: followed with the method they ask for, refused, or handed over", async () => {
		const go = (to: string, status: number) => `ORIGIN + "/redirect?status=${status}&to=${encodeURIComponent(to)}"`;
		assert.deepEqual(
			(
				await run(
					`const r = await fetch(${go("/end", 302)}, { method: "POST", body: "x" }); return [r.redirected, (await r.json()).method, new URL(r.url).pathname];`,
				)
			).value,
			[true, "GET", "/end"],
		);
		assert.deepEqual(
			(
				await run(
					`const r = await fetch(${go("/end", 307)}, { method: "POST", body: "x" }); const j = await r.json(); return [j.method, j.body];`,
				)
			).value,
			["POST", "x"],
		);
		assert.deepEqual(
			(
				await run(
					`const r = await fetch(${go("/end", 301)}, { redirect: "manual" }); return [r.status, r.headers.get("location")];`,
				)
			).value,
			[301, "/end"],
		);
		assert.match(
			(await run(`await fetch(${go("/end", 301)}, { redirect: "error" })`)).error ?? "",
			/TypeError: fetch failed/,
		);
		assert.match((await run(`await fetch(${go("http://10.0.0.1/", 302)})`)).error ?? "", /private network/);
		assert.match((await run(`await fetch(${go("file:///etc/passwd", 302)})`)).error ?? "", /only http and https/);
	});

	test("what goes wrong is a TypeError, and an abort its own reason", async () => {
		assert.match(
			(await run(`const r = await fetch(ORIGIN + "/cut"); await r.text()`)).error ?? "",
			/TypeError: the response broke off/,
		);
		assert.match(
			(await run(`await fetch("http://127.0.0.1:1/")`)).error ?? "",
			/TypeError: fetch failed: 127\.0\.0\.1:1: .*ECONNREFUSED/,
		);
		for (const name of ["denied.test", "DENIED.test", "denied.test."])
			assert.match((await run(`await fetch("http://${name}/")`)).error ?? "", /denied\.test is not allowed/);
		assert.match(
			(
				await run(
					`const c = new AbortController(); const r = await fetch(ORIGIN + "/hang", { signal: c.signal }); c.abort(); await r.text()`,
				)
			).error ?? "",
			/AbortError/,
		);
		assert.match(
			(await run(`await fetch(ORIGIN + "/hang", { signal: AbortSignal.abort(new RangeError("mine")) })`)).error ?? "",
			/RangeError: mine/,
		);
	});

	test("a function that serves every hostname fetches from all of them", async () => {
		await atoll.deploy(
			"any",
			`export default { async fetch(r, env) { return r.url.endsWith("/self") ? new Response("self") : fetch(env.ORIGIN + "/self"); } }`,
			{ env: { ORIGIN: `http://127.0.0.1:${port}` }, hostnames: ["*"] },
		);
		assert.equal(((await (await atoll.fetch("whatever")).json()) as { path: string }).path, "/self");
	});

	test("a name is resolved, to what is then connected to", async () => {
		assert.equal((await run(`return (await fetch("http://localhost:${port}/named")).status`)).value, 200);
		assert.match((await run(`await fetch("http://no-such-name.invalid/")`)).error ?? "", /does not resolve/);
	});

	test("a request that is larger than a client's may be is refused", async () => {
		for (const code of [
			`await fetch(ORIGIN + "/" + "x".repeat(20_000))`,
			`await fetch(ORIGIN, { headers: Array.from({ length: 3000 }, (_, i) => ["x" + i, ""]) })`,
			`await fetch(ORIGIN, { headers: { x: "y".repeat(200_000) } })`,
		])
			assert.match((await run(code)).error ?? "", /(URL has|headers have|asked for has) more than \d+/);
	});

	test("subrequests beyond the limit are refused", async () => {
		assert.match(
			(await run(`for (let i = 0; i < 6; i++) await (await fetch(ORIGIN)).text()`)).error ?? "",
			/already made its 5 subrequests/,
		);
	});

	test("functions that call one another stop at a depth", async () => {
		await atoll.deploy(
			"mirror",
			`export default { async fetch(r) { const x = await fetch(r.url); return new Response(x.status + " " + (await x.text()).slice(0, 50)); } }`,
		);
		assert.match(await atoll.text("mirror"), /^500 |^200 /);
		await atoll.log("16 deep");
	});

	test("a function is known by its hostname however that is written", async () => {
		await atoll.deploy(
			"spelled",
			`export default { fetch: (r) => new Response(r.url + " " + r.headers.get("host")) };`,
			{
				hostnames: ["sp\u00e9lled.test"],
			},
		);
		for (const host of [
			"sp\u00e9lled.test",
			"SP\u00c9LLED.test.",
			"xn--splled-cva.test.:8787",
			"sp%C3%A9lled\u3002test\u3002",
		]) {
			const { value } = await run(`return await (await fetch("http://${host}/")).text()`);
			assert.match(String(value), /^http:\/\/(xn--splled-cva\.test(:8787)?)\/ \1$/, host);
		}
	});

	test("addresses of private networks are refused in every spelling", () => {
		const guard = new AddressGuard();
		for (const address of [
			"127.0.0.1",
			"10.1.2.3",
			"172.16.0.1",
			"172.31.255.255",
			"192.168.1.1",
			"169.254.169.254",
			"100.64.0.1",
			"0.0.0.0",
			"224.0.0.1",
			"255.255.255.255",
			"::1",
			"::",
			"::ffff:127.0.0.1",
			"::ffff:10.0.0.1",
			"::ffff:7f00:1",
			"::127.0.0.1",
			"fd00::1",
			"fe80::1",
			"ff02::1",
			"64:ff9b::7f00:1",
			"2002:7f00:1::",
			"::ffff:0:127.0.0.1",
			"0:0:0:0:ffff:0:a00:1",
			"64:ff9b:1::7f00:1",
			"100::1",
			"100:0:0:1::1",
			"2001:0:7f00:1::",
			"3fff::1",
			"3FFF:0FFF::1",
			"4000::1",
			"5f00::1",
			"fec0::1",
			"fe80::1%lo",
			"fe80::1%1",
		]) {
			assert.match(guard.refuseAddress(address, "h") ?? "", /private network/, address);
		}
		for (const address of ["8.8.8.8", "172.32.0.1", "1.1.1.1", "2606:4700::1111", "2a00::1", "::ffff:8.8.8.8"])
			assert.equal(guard.refuseAddress(address, "h"), null, address);
		const open = new AddressGuard({ allow: ["10.0.0.0/8", "db.internal"], deny: ["10.6.6.0/24"] });
		assert.equal(open.refuseAddress("10.1.1.1", "h"), null);
		assert.equal(open.refuseAddress("192.168.0.9", "db.internal"), null);
		assert.notEqual(open.refuseAddress("10.6.6.6", "h"), null);
		assert.notEqual(open.refuseAddress("192.168.0.9", "h"), null);
	});

	test("an operator's ranges hold in every spelling, and behind translators", () => {
		const denies = new AddressGuard({ deny: ["::ffff:8.8.8.0/120", "1.1.1.1"] });
		for (const address of ["8.8.8.8", "::ffff:8.8.8.8", "::FFFF:0808:0808", "1.1.1.1", "::ffff:1.1.1.1"])
			assert.match(denies.refuseAddress(address, "h") ?? "", /not allowed/, address);
		assert.equal(denies.refuseAddress("8.8.4.4", "h"), null);
		assert.notEqual(new AddressGuard({ deny: ["::ffff:0:0/96"] }).refuseAddress("8.8.8.8", "h"), null);
		const allows = new AddressGuard({ allow: ["64:ff9b::/96", "::ffff:10.0.0.1"] });
		assert.equal(allows.refuseAddress("10.0.0.1", "h"), null);
		assert.equal(allows.refuseAddress("64:ff9b::8.8.8.8", "h"), null);
		assert.equal(allows.refuseAddress("64:ff9b::10.0.0.1", "h"), null);
		for (const address of ["10.0.0.2", "64:ff9b::10.0.0.2", "64:ff9b::7f00:1", "2002:a00:1::"])
			assert.match(allows.refuseAddress(address, "h") ?? "", /private network/, address);
		assert.throws(() => new AddressGuard({ deny: ["10.0.0.0/33"] }), /not a CIDR range/);
		assert.throws(() => new AddressGuard({ deny: ["10.0.0.0/"] }), /not a CIDR range/);
	});

	test("a status that no response may have is no forgery of the function that hands it on", async () => {
		await atoll.deploy("hands-on", `export default { fetch: () => fetch("http://127.0.0.1:${port}/odd") };`);
		for (let i = 0; i < 4; i++) assert.equal(await errorCode(await atoll.fetch("hands-on")), "invalid_response");
	});
});
