/** `cloudflare:sockets`: connections of functions, to real servers. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates, TLSSocket } from "node:tls";
import { errorCode, type Isolation, inBothIsolations, TestRuntime, temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const SOURCE = `import { connect } from "cloudflare:sockets";
const encoder = new TextEncoder(); const decoder = new TextDecoder();
const told = (error) => error.name + ": " + error.message;
const write = async (socket, ...texts) => { const writer = socket.writable.getWriter(); for (const text of texts) await writer.write(encoder.encode(text)); writer.releaseLock(); };
const readAll = (socket) => new Response(socket.readable).text();
const readLine = async (socket) => { const reader = socket.readable.getReader(); let text = ""; while (!text.includes("\\n")) { const { done, value } = await reader.read(); if (done) break; text += decoder.decode(value); } reader.releaseLock(); return text; };
const cases = {
	async talk(port) { const socket = connect({ hostname: "127.0.0.1", port }); const info = await socket.opened; await write(socket, "one\\n"); const first = await readLine(socket); await write(socket, "two\\n"); const second = await readLine(socket); await socket.close(); return [info, first, second, socket.secureTransport, socket.upgraded, await socket.closed ?? "closed"]; },
	async ended(port) { const socket = connect("127.0.0.1:" + port); await write(socket, "bye\\n"); const text = await readAll(socket); await socket.closed; return [text, await write(socket, "more").catch(told)]; },
	async large(port) { const socket = connect("127.0.0.1:" + port); const writer = socket.writable.getWriter(); const sent = (async () => { for (let i = 0; i < 30; i++) await writer.write(new Uint8Array(100_000).fill(97)); await writer.write(encoder.encode("\\nend\\n")); })(); const text = await readAll(socket); await sent; return text.length; },
	async written(port) { const socket = connect("127.0.0.1:" + port); const writer = socket.writable.getWriter(); writer.write(encoder.encode("kept\\n")); await socket.close(); return [await writer.write(new Uint8Array(1)).catch(told)]; },
	async half(port) { const socket = connect("127.0.0.1:" + port, { allowHalfOpen: true }); const writer = socket.writable.getWriter(); await writer.write(encoder.encode("to the end")); await writer.close(); return readAll(socket); },
	async byob(port) { const socket = connect("127.0.0.1:" + port); await write(socket, "abc\\n"); const reader = socket.readable.getReader({ mode: "byob" }); const { value } = await reader.read(new Uint8Array(3)); await reader.cancel(); return [decoder.decode(value), await socket.closed ?? "closed"]; },
	async refused(port) { const socket = connect("127.0.0.1:" + port); return [await socket.opened.catch(told), await socket.closed.catch(told), await readAll(socket).catch(told), await write(socket, "x").catch(told)]; },
	async away(hostname) { return connect({ hostname, port: 80 }).opened.catch(told); },
	async mail() { return connect("127.0.0.1:25").opened.catch(told); },
	async invalid() { return [() => connect("nowhere"), () => connect("a:0"), () => connect("a:70000"), () => connect({ hostname: "a\\nb", port: 1 }), () => connect("a:1", { secureTransport: "maybe" }), () => connect(), () => connect("a:1").startTls()].map((f) => { try { f(); } catch (error) { return error.name; } }); },
	async chunk(port) { const socket = connect("127.0.0.1:" + port); return socket.writable.getWriter().write("text").catch(told); },
	async tls(port) { const socket = connect({ hostname: "localhost", port }, { secureTransport: "on" }); await write(socket, "secret\\n"); const line = await readLine(socket); await socket.close(); return [line, socket.secureTransport]; },
	async untrusted(port) { return connect({ hostname: "127.0.0.1", port }, { secureTransport: "on" }).opened.catch(told); },
	async starttls(port) { const plain = connect({ hostname: "localhost", port }, { secureTransport: "starttls" }); await write(plain, "starttls\\n"); const go = await readLine(plain); const socket = plain.startTls(); const late = await write(plain, "x").catch(told); await write(socket, "secret\\n"); const line = await readLine(socket); await socket.close(); return [go, late, line, plain.upgraded, socket.secureTransport]; },
	async silent(port) { const socket = connect("127.0.0.1:" + port); return [await readAll(socket).catch(told), await socket.closed.catch(told)]; },
	async leaves(port, ctx) { const socket = connect("127.0.0.1:" + port); await socket.opened; return "left"; },
};
export default { async fetch(request, env, ctx) { const [name, argument] = await request.json(); return Response.json((await cases[name](argument, ctx)) ?? null); } };`;

inBothIsolations("sockets of functions", (isolation: Isolation) => {
	const atoll = new TestRuntime({
		isolation,
		egress: { allow: ["127.0.0.1", "::1", "localhost"], deny: ["denied.test"] },
		limits: { cpuMs: 20_000 },
	});
	const folder = temporaryFolder();
	const servers: Server[] = [];
	const open = new Set<Socket>();
	const received: string[] = [];
	let plain: number;
	let secure: number;

	const listen = async (server: Server): Promise<number> => {
		servers.push(server);
		await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
		return (server.address() as { port: number }).port;
	};
	const ask = async (name: string, argument?: unknown) => {
		const text = await atoll.text("sockets", "/", { method: "POST", body: JSON.stringify([name, argument]) });
		return JSON.parse(text) as unknown;
	};

	before(async () => {
		const files = [`${folder}/key.pem`, `${folder}/cert.pem`];
		const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
		const form = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
		execFileSync("openssl", ["req", "-x509", ...form, "-keyout", files[0], "-out", files[1], ...subject], {
			stdio: "ignore",
		});
		const [key, cert] = files.map((file) => readFileSync(file, "utf8"));
		setDefaultCACertificates([...getCACertificates("default"), cert]);
		/** Says each line back, ends after "bye" and "end", and starts TLS when it is asked to. */
		const serve = (socket: Socket) => {
			let rest = "";
			open.add(socket);
			socket.on("close", () => open.delete(socket));
			socket.on("error", () => undefined);
			socket.on("data", (chunk: Buffer) => {
				rest += chunk.toString();
				const lines = rest.split("\n");
				rest = lines.pop() as string;
				for (const line of lines) {
					received.push(line);
					if (line === "starttls") {
						socket.removeAllListeners("data");
						socket.write("go\n");
						serve(new TLSSocket(socket, { isServer: true, key, cert }));
						return;
					}
					socket.write(`said ${line}\n`);
					if (line === "bye" || line === "end") socket.end();
				}
			});
			socket.on("end", () => socket.writable && socket.end(`rest ${rest}`));
		};
		plain = await listen(createServer({ allowHalfOpen: true }, serve));
		secure = await listen(createTlsServer({ key, cert }, serve));
		await atoll.deploy("sockets", SOURCE);
	});
	after(() => {
		for (const socket of open) socket.destroy();
		for (const server of servers) server.close();
	});

	test("a function talks with a server, and closes the connection", async () => {
		const info = { remoteAddress: `127.0.0.1:${plain}`, localAddress: null };
		assert.deepEqual(await ask("talk", plain), [info, "said one\n", "said two\n", "off", false, "closed"]);
		await until(() => open.size === 0);
	});

	test("the server's end is the readable's, and nothing can be written then", async () => {
		assert.deepEqual(await ask("ended", plain), ["said bye\n", "TypeError: The socket is closed."]);
	});

	test("much goes both ways at once", async () => {
		assert.equal(await ask("large", plain), "said \nsaid end\n".length + 3_000_000);
	});

	test("what was written before it is closed still arrives", async () => {
		received.length = 0;
		assert.deepEqual(await ask("written", plain), ["TypeError: The socket is closed."]);
		await until(() => received.includes("kept"));
	});

	test("a function ends its half, and reads on", async () => {
		assert.equal(await ask("half", plain), "rest to the end");
	});

	test("it is read into buffers, and cancelled", async () => {
		assert.deepEqual(await ask("byob", plain), ["sai", "closed"]);
		await until(() => open.size === 0);
	});

	test("a connection that is refused fails everything of the socket", async () => {
		const closed = createServer();
		const port = await listen(closed);
		await new Promise((done) => closed.close(done));
		const failure = `Error: connect failed: 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`;
		assert.deepEqual(await ask("refused", port), [failure, failure, failure, failure]);
	});

	test("addresses are refused as those of fetch are, and mail is", async () => {
		for (const [hostname, why] of [
			["10.0.0.1", "10.0.0.1 is on a private network"],
			["169.254.169.254", "169.254.169.254 is on a private network"],
			["::ffff:10.0.0.1", "::ffff:10.0.0.1 is on a private network"],
			["DENIED.test.", "denied.test is not allowed"],
		])
			assert.equal(await ask("away", hostname), `Error: connect failed: ${why}`);
		assert.equal(await ask("mail"), "Error: connect failed: connections to port 25 are not allowed");
	});

	test("what makes no sense is refused at once", async () => {
		assert.deepEqual(await ask("invalid"), Array(7).fill("TypeError"));
		assert.equal(await ask("chunk", plain), "TypeError: a socket takes an ArrayBuffer, or a view of one");
	});

	test("TLS is spoken from the start, to a server whose certificate is its own", async () => {
		assert.deepEqual(await ask("tls", secure), ["said secret\n", "on"]);
		assert.match((await ask("untrusted", secure)) as string, /^Error: connect failed: .*(?:altnames|certificate)/);
	});

	test("TLS is started on a connection that is open", async () => {
		const late = "TypeError: The socket goes on under TLS.";
		assert.deepEqual(await ask("starttls", plain), ["go\n", late, "said secret\n", true, "on"]);
		await until(() => open.size === 0);
	});

	test("a connection over which nothing comes or goes is ended after its time", async () => {
		await atoll.deploy("silent", SOURCE, { limits: { subrequestMs: 20 } });
		const text = await atoll.text("silent", "/", { method: "POST", body: JSON.stringify(["silent", plain]) });
		const why = `TypeError: the response broke off: 127.0.0.1:${plain} sent nothing for 20 ms`;
		assert.deepEqual(JSON.parse(text), [why, why]);
		await until(() => open.size === 0);
	});

	test("a connection ends with its request, and counts as a subrequest", async () => {
		assert.equal(await ask("leaves", plain), "left");
		await until(() => open.size === 0);
		await atoll.deploy("few", SOURCE, { limits: { subrequests: 0 } });
		const response = await atoll.fetch("few", "/", { method: "POST", body: JSON.stringify(["leaves", plain]) });
		assert.equal(await errorCode(response), "exception");
	});
});
