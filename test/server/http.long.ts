import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import { bodyOf, exchange, statusOf } from "../support/raw-http.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";
import { until } from "../support/until.ts";

inBothIsolations("the HTTP server", (isolation) => {
	const atoll = new TestRuntime({ isolation });
	let server: HttpServer;
	let port: number;
	before(async () => {
		server = new HttpServer(atoll.runtime);
		port = (await server.listen(0, "127.0.0.1")).port;
		await atoll.deploy(
			"echo",
			`export default { async fetch(r) {
			return Response.json({ method: r.method, url: r.url, headers: [...r.headers], body: r.body ? await r.text() : null });
		} }`,
		);
		await atoll.deploy(
			"body",
			`export default { fetch: (r) => new Response("0123456789", { headers: { "x-kept": "1", "set-cookie": "a=1" } }) }`,
		);
		await atoll.deploy("pipe", "export default { fetch: (r) => new Response(r.body) }", {
			limits: { requestBodyBytes: 200_000 },
		});
	});
	after(() => server.close());

	const send = (text: string, host = "echo.test") =>
		exchange(port, text.replace("HOST", `Host: ${host}\r\nConnection: close`));
	const code = (response: string) => /x-atoll-error: (\w+)/.exec(response)?.[1];

	test("a request comes in whole: method, URL, headers, body", async () => {
		const response = await send(
			"POST /a/../b%20c?q=%C3%BC&r=|#no HTTP/1.1\r\nHOST\r\nX-One: 1\r\nx-one: 2\r\nContent-Length: 3\r\n\r\nabc",
			"Echo.TEST:8787",
		);
		const { method, url, headers, body } = JSON.parse(bodyOf(response)) as {
			method: string;
			url: string;
			headers: [string, string][];
			body: string;
		};
		assert.equal(method, "POST");
		assert.equal(url, "http://echo.test:8787/b%20c?q=%C3%BC&r=|");
		assert.equal(body, "abc");
		assert.ok(headers.some(([name, value]) => name === "x-one" && value === "1, 2"));
		assert.match(response, /x-atoll-request-id: \S+/);
	});

	test("hop-by-hop headers stay on their connection, both ways", async () => {
		const response = await exchange(
			port,
			"GET / HTTP/1.1\r\nHost: echo.test\r\nConnection: close, x-private\r\nX-Private: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Authorization: x\r\nX-Public: 1\r\n\r\n",
		);
		const names = (JSON.parse(bodyOf(response)) as { headers: [string, string][] }).headers.map(([name]) => name);
		assert.deepEqual(names.sort(), ["host", "x-public"]);
		await atoll.deploy(
			"hops",
			`export default { fetch: () => new Response("x", { headers: { connection: "x-a", "keep-alive": "1", "transfer-encoding": "chunked", upgrade: "h2c", "x-atoll-error": "fake", "x-ok": "1" } }) }`,
		);
		const out = await send("GET / HTTP/1.1\r\nHOST\r\n\r\n", "hops.test");
		assert.doesNotMatch(out, /x-a\b|upgrade|fake|chunked/i);
		assert.match(out, /x-ok: 1/);
	});

	test("HEAD gives the head that GET would, and no body", async () => {
		const response = await send("HEAD / HTTP/1.1\r\nHOST\r\n\r\n", "body.test");
		assert.equal(statusOf(response), 200);
		assert.match(response, /content-length: 10/i);
		assert.match(response, /x-kept: 1/);
		assert.equal(bodyOf(response), "");
	});

	test("one connection carries many requests, also when a body was not read", async () => {
		const response = await exchange(
			port,
			"POST / HTTP/1.1\r\nHost: body.test\r\nContent-Length: 5\r\n\r\nfirst",
			`POST / HTTP/1.1\r\nHost: body.test\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n`,
			"GET / HTTP/1.1\r\nHost: body.test\r\nConnection: close\r\n\r\n",
		);
		assert.equal(response.match(/HTTP\/1\.1 200/g)?.length, 3);
	});

	for (const [what, behind] of [
		["what is not HTTP", "hello?\r\n\r\n"],
		["a malformed header", "GET / HTTP/1.1\r\nHost: body.test\r\nno colon\r\n\r\n"],
		["a second request after Connection: close", "GET / HTTP/1.1\r\nHost: body.test\r\n\r\n"],
	])
		test(`${what} behind a request costs that one nothing`, async () => {
			await atoll.deploy(
				"later",
				`export default { async fetch() { await new Promise((r) => setTimeout(r, 20)); return new Response("in its turn"); } }`,
			);
			const close = what.includes("close") ? "Connection: close\r\n" : "";
			const response = await exchange(port, `GET / HTTP/1.1\r\nHost: later.test\r\n${close}\r\n${behind}`);
			assert.equal(statusOf(response), 200);
			assert.equal(bodyOf(response), "in its turn");
		});

	test("100-continue is answered before the body is sent, and not where it would be refused", async () => {
		const post = (host: string, length: number) =>
			new Promise<string[]>((resolve, reject) => {
				const seen: string[] = [];
				const req = request({
					port,
					host: "127.0.0.1",
					method: "POST",
					headers: { host, expect: "100-continue", "content-length": length },
				});
				req.on("continue", () => {
					seen.push("continue");
					req.end("x".repeat(length));
				});
				req.on("response", (res) => {
					seen.push(String(res.statusCode));
					res.resume();
					res.on("end", () => {
						req.destroy();
						resolve(seen);
					});
				});
				req.on("error", reject);
				req.flushHeaders();
			});
		assert.deepEqual(await post("pipe.test", 5), ["continue", "200"]);
		assert.deepEqual(await post("pipe.test", 300_000), ["413"]);
	});

	for (const [what, head, status, error] of [
		["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "bad_request"],
		[
			"two Hosts",
			"GET / HTTP/1.1\r\nHost: echo.test\r\nHost: echo.test\r\nConnection: close\r\n\r\n",
			400,
			"bad_request",
		],
		["a malformed Host", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400, "bad_request"],
		["an unknown Host", "GET / HTTP/1.1\r\nHost: nobody.test\r\nConnection: close\r\n\r\n", 404, "hostname_not_found"],
		["what is not HTTP", "hello?\r\n\r\n", 400, "bad_request"],
		[
			"a URL over 16 KB",
			`GET /${"a".repeat(17_000)} HTTP/1.1\r\nHost: echo.test\r\nConnection: close\r\n\r\n`,
			414,
			"url_too_long",
		],
		[
			"headers over 128 KB",
			`GET / HTTP/1.1\r\nHost: echo.test\r\nX: ${"a".repeat(140_000)}\r\n\r\n`,
			431,
			"headers_too_large",
		],
		[
			"a body over the limit",
			"POST / HTTP/1.1\r\nHost: pipe.test\r\nConnection: close\r\nContent-Length: 200001\r\n\r\n",
			413,
			"body_too_large",
		],
		[
			"both framings",
			"POST / HTTP/1.1\r\nHost: echo.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			400,
			"bad_request",
		],
		[
			"two transfer codings",
			"POST / HTTP/1.1\r\nHost: echo.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
			400,
			"bad_request",
		],
		[
			"a transfer coding in HTTP/1.0",
			"POST / HTTP/1.0\r\nHost: echo.test\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			400,
			"bad_request",
		],
		["CONNECT", "CONNECT echo.test:80 HTTP/1.1\r\nHost: echo.test\r\n\r\n", 400, "bad_request"],
		["CONNECT to a path", "CONNECT / HTTP/1.1\r\nHost: echo.test\r\n\r\n", 400, "bad_request"],
		["CONNECT to a URL", "CONNECT http://echo.test/ HTTP/1.1\r\nHost: echo.test\r\n\r\n", 400, "bad_request"],
		["* for what is not OPTIONS", "GET * HTTP/1.1\r\nHost: echo.test\r\n\r\n", 400, "bad_request"],
		["a target with a user", "GET http://a:b@echo.test/ HTTP/1.1\r\nHost: echo.test\r\n\r\n", 400, "bad_request"],
		["two dots at the end of a Host", "GET / HTTP/1.1\r\nHost: echo.test..\r\n\r\n", 400, "bad_request"],
		["a folded header", "GET / HTTP/1.1\r\nHost: echo.test\r\nX: a\r\n b\r\n\r\n", 400, "bad_request"],
		["lines that end with LF alone", "GET / HTTP/1.1\nHost: echo.test\n\n", 400, "bad_request"],
		[
			"two lengths",
			"POST / HTTP/1.1\r\nHost: echo.test\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
			400,
			"bad_request",
		],
		[
			"a chunk's extension with a bare LF",
			"POST / HTTP/1.1\r\nHost: echo.test\r\nTransfer-Encoding: chunked\r\n\r\n2;a\nab\r\n0\r\n\r\n",
			400,
			"bad_request",
		],
		[
			"an absolute target of another kind",
			"GET ftp://x/ HTTP/1.1\r\nHost: echo.test\r\nConnection: close\r\n\r\n",
			400,
			"bad_request",
		],
	] as const) {
		test(`${what} gets ${status} ${error}`, async () => {
			const response = await exchange(port, head);
			assert.equal(statusOf(response), status);
			assert.equal(code(response), error);
			assert.equal((JSON.parse(bodyOf(response)) as { error: { code: string } }).error.code, error);
			const id = /x-atoll-request-id: (\S+)/.exec(response)?.[1];
			const records = atoll.records.filter(({ requestId }) => requestId === id);
			assert.deepEqual(
				records.map((record) => [record.outcome, record.status, record.responseBytes, record.trigger]),
				[[error, status, bodyOf(response).length, "http"]],
			);
		});
	}

	test("what is not HTTP behind a request that was answered is recorded, though it gets no answer", async () => {
		const before = atoll.records.length;
		const response = await exchange(port, "GET / HTTP/1.1\r\nHost: body.test\r\n\r\nhello?\r\n\r\n");
		assert.equal(response.match(/HTTP\/1\.1 /g)?.length, 1);
		// Those of the requests before it, which have a method, may still come.
		const told = () => atoll.records.slice(before).map((one) => `${one.method} ${one.outcome} ${one.status}`);
		await until(() => [" bad_request 0", "GET ok 200"].every((one) => told().includes(one)));
		assert.equal(told().filter((one) => one.startsWith(" ")).length, 1);
	});

	test("a client that reads its answer only once it has sent the rest gets it, though nobody wanted the rest", async () => {
		const nth = atoll.records.filter(({ outcome }) => outcome === "body_too_large").length;
		const socket = connect(port, "127.0.0.1");
		socket.on("error", () => undefined).pause();
		const length = 1_000_000;
		socket.write(`POST / HTTP/1.1\r\nHost: pipe.test\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`);
		await until(() => atoll.records.filter(({ outcome }) => outcome === "body_too_large").length > nth);
		for (let sent = 0; sent < length; sent += 100_000)
			await new Promise<void>((resolve) => socket.write("x".repeat(100_000), () => resolve()));
		let text = "";
		socket.on("data", (chunk) => {
			text += chunk.toString("latin1");
		});
		socket.resume();
		await once(socket, "end");
		assert.equal(statusOf(text), 413);
		assert.equal(JSON.parse(bodyOf(text)).error.code, "body_too_large");
		socket.destroy();
	});

	test("a chunked body that grows over the limit gets 413", async () => {
		await atoll.deploy(
			"eater",
			"export default { async fetch(r) { try { return new Response(String((await r.text()).length)); } catch { await new Promise(() => {}); } } }",
			{ limits: { requestBodyBytes: 100_000 } },
		);
		const chunk = `c350\r\n${"x".repeat(50_000)}\r\n`;
		const response = await exchange(
			port,
			"POST / HTTP/1.1\r\nHost: eater.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
			chunk,
			chunk,
			chunk,
			"0\r\n\r\n",
		);
		assert.equal(statusOf(response), 413);
	});

	test("an absolute target counts, not the Host header, and the function sees one host", async () => {
		for (const [target, host] of [
			["http://echo.test/abs", "echo.test"],
			["http://ECHO.test.:8787/abs", "echo.test:8787"],
		]) {
			const response = await send(`GET ${target} HTTP/1.1\r\nHOST\r\n\r\n`, "other.test");
			const { url, headers } = JSON.parse(bodyOf(response)) as { url: string; headers: [string, string][] };
			assert.equal(url, `http://${host}/abs`);
			assert.deepEqual(headers, [["host", host]]);
		}
	});

	test("a name with a dot at its end is that name, and not one that nobody has", async () => {
		await atoll.deploy("any", `export default { fetch: () => new Response("anybody's") };`, { hostnames: ["*"] });
		for (const host of ["echo.test.", "ECHO.TEST.", "echo.test.:8787"])
			assert.match(bodyOf(await send("GET / HTTP/1.1\r\nHOST\r\n\r\n", host)), /"method":"GET"/);
		const response = await atoll.runtime.fetch(new Request("http://echo.test./"));
		assert.match(await response.text(), /"method":"GET"/);
		assert.equal(bodyOf(await send("GET / HTTP/1.1\r\nHOST\r\n\r\n", "other.test.")), "anybody's");
		await atoll.runtime.remove({ name: "any" });
	});

	test("no client takes away what its function has to know by naming it as its connection's", async () => {
		const named = "Host, Content-Length, Content-Type, Authorization, Cookie, X-Forwarded-For";
		const response = await exchange(
			port,
			`POST / HTTP/1.1\r\nHost: echo.test\r\nConnection: close, ${named}\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nAuthorization: a\r\nCookie: b=c\r\nX-Forwarded-For: 1.2.3.4\r\n\r\nab`,
		);
		const names = (JSON.parse(bodyOf(response)) as { headers: [string, string][] }).headers.map(([name]) => name);
		assert.deepEqual(names.toSorted(), named.toLowerCase().split(", ").toSorted());
	});

	test("request ids say nothing of how many requests there were", async () => {
		const id = async () =>
			/x-atoll-request-id: (\S+)/.exec(await send("GET / HTTP/1.1\r\nHOST\r\n\r\n", "body.test"))?.[1] as string;
		const ids = [await id(), await id(), await id()];
		assert.equal(new Set(ids.flatMap((one) => [one.slice(0, 8), one.slice(-8)])).size, 6);
	});

	test("a browser gets a page, and nothing in it runs", async () => {
		const response = await send("GET / HTTP/1.1\r\nHOST\r\nAccept: text/html,*/*\r\n\r\n", "<b>.test");
		assert.equal(statusOf(response), 400);
		const page = await send("GET / HTTP/1.1\r\nHOST\r\nAccept: text/html,*/*\r\n\r\n", "nobody.test");
		assert.match(page, /content-type: text\/html/);
		assert.match(bodyOf(page), /<h1>404 <code>hostname_not_found/);
		assert.doesNotMatch(bodyOf(page), /There are/, "where there are functions is told in development alone");
	});

	test("every header, cookie and status that a function sets arrives", async () => {
		await atoll.deploy(
			"heads",
			`export default { fetch() {
			const headers = new Headers({ "x-latin": "caf\\u00e9", etag: '"1"' });
			headers.append("set-cookie", "a=1"); headers.append("set-cookie", "b=2; Path=/");
			return new Response("x", { status: 207, statusText: "Many Things", headers });
		} }`,
		);
		const response = await send("GET / HTTP/1.1\r\nHOST\r\n\r\n", "heads.test");
		assert.match(response, /^HTTP\/1\.1 207 Many Things\r\n/);
		assert.match(response, /set-cookie: a=1\r\n/);
		assert.match(response, /set-cookie: b=2; Path=\/\r\n/);
		assert.match(response, /x-latin: caf\xe9\r\n/);
	});

	for (const status of [204, 205, 304]) {
		test(`a ${status} has no body`, async () => {
			await atoll.deploy("empty", `export default { fetch: () => new Response(null, { status: ${status} }) }`);
			const response = await send("GET / HTTP/1.1\r\nHOST\r\n\r\n", "empty.test");
			assert.equal(statusOf(response), status);
			assert.equal(bodyOf(response), "");
		});
	}

	test("a stream that does not keep its Content-Length breaks off", async () => {
		for (const length of [3, 30]) {
			await atoll.deploy(
				"liar",
				`export default { fetch: () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(10)); c.close(); } }), { headers: { "content-length": "${length}" } }) }`,
			);
			await assert.rejects(fetchFrom("liar.test"), `${length}`);
		}
	});

	function fetchFrom(host: string): Promise<number> {
		return new Promise((resolve, reject) => {
			const req = request({ port, host: "127.0.0.1", headers: { host }, agent: false }, (res) => {
				let bytes = 0;
				res.on("data", (chunk: Buffer) => {
					bytes += chunk.length;
				});
				res.on("end", () => (res.complete ? resolve(bytes) : reject(new Error("cut"))));
				res.on("error", reject);
			});
			req.on("error", reject);
			req.end();
		});
	}

	test("closing finishes what is in flight and refuses what is new", async () => {
		await atoll.deploy(
			"slow",
			`export default { fetch: () => new Response(new ReadableStream({ async start(c) { c.enqueue(new TextEncoder().encode("be")); console.log("begun"); await new Promise((r) => setTimeout(r, 60)); c.enqueue(new TextEncoder().encode("gun")); c.close(); } })) }`,
		);
		const own = new HttpServer(atoll.runtime);
		const { port: ownPort } = await own.listen(0, "127.0.0.1");
		const running = exchange(ownPort, "GET / HTTP/1.1\r\nHost: slow.test\r\n\r\n");
		await atoll.log("begun");
		const closed = own.close();
		await assert.rejects(
			new Promise((resolve, reject) =>
				request({ port: ownPort, host: "127.0.0.1" }, resolve).on("error", reject).end(),
			),
			/ECONNREFUSED/,
		);
		assert.match(await running, /be\r\n3\r\ngun\r\n0\r\n\r\n$/);
		await closed;
	});

	test("a body in chunks of one byte comes as few pieces", async () => {
		await atoll.deploy(
			"pieces",
			`export default { async fetch(r) {
				let pieces = 0, bytes = 0;
				for await (const piece of r.body) { pieces++; bytes += piece.length; }
				return Response.json({ pieces, bytes });
			} }`,
		);
		const head = "POST / HTTP/1.1\r\nHost: pieces.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
		const response = await exchange(port, `${head}${"1\r\nx\r\n".repeat(30_000)}0\r\n\r\n`);
		const { pieces, bytes } = JSON.parse(bodyOf(response)) as { pieces: number; bytes: number };
		assert.equal(bytes, 30_000);
		// The system decides how much is read at once; each chunk by itself would be 30,000.
		assert.ok(pieces < 10_000, `${pieces} pieces`);
	});

	test("a header's bytes are the same whether its response is whole or streamed", async () => {
		await atoll.deploy(
			"bytes",
			`export default { fetch(r) {
				const body = r.url.endsWith("/stream") ? new ReadableStream({ start(c) { c.close(); } }) : "";
				return new Response(body, { headers: { "x-bytes": "\\xff\\xfe" } });
			} }`,
		);
		for (const path of ["/whole", "/stream"])
			assert.match(
				await send(`GET ${path} HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n`, "bytes.test"),
				/x-bytes: \xff\xfe\r\n/i,
			);
	});

	test("a connection that has nothing to say has nothing held for it", async () => {
		const chunks = `${(1024).toString(16)}\r\n${"x".repeat(1024)}\r\n`.repeat(40);
		const clients = [
			`POST / HTTP/1.1\r\nHost: body.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
			`GET / HTTP/1.1\r\nHost: body.test\r\nCookie: ${"c".repeat(10_000)}\r\n\r\n`,
		].map((text) => {
			const socket = connect(port, "127.0.0.1", () => socket.write(text));
			return socket;
		});
		for (const socket of clients) await once(socket, "data");
		await until(() => atoll.runtime.stats().inFlight === 0);
		// Another one has sent a part of a head, by which it is known that heads were looked at.
		const begun = connect(port, "127.0.0.1", () => begun.write(`GET / HTTP/1.1\r\nA: ${"a".repeat(10_000)}`));
		const { unfinished } = atoll.runtime;
		await until(() => unfinished.held > 0);
		assert.ok(unfinished.held < 50_000, `${unfinished.held} bytes`);
		begun.destroy();
		for (const socket of clients) socket.destroy();
	});
});
