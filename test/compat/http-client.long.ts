/** `node:http` as a client, against a real server, held against Node's own client. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { after, before, test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline", egress: { allow: ["127.0.0.1"] }, limits: { cpuMs: 20_000 } });
let server: Server;
let port: number;

before(async () => {
	server = createServer((request, response) => {
		const url = new URL(request.url ?? "", "http://a");
		if (url.pathname === "/redirect") response.writeHead(302, { location: "/elsewhere" }).end();
		else if (url.pathname === "/hang") response.write("begun");
		else if (url.pathname === "/never") return;
		else if (url.pathname === "/break") request.socket.destroy();
		else if (url.pathname === "/cookies") response.writeHead(404, { "set-cookie": ["a=1", "b=2"], "x-a": "b" }).end();
		else if (url.pathname === "/echo") {
			response.writeHead(200, { "x-method": request.method, "x-length": request.headers["content-length"] ?? "none" });
			request.pipe(response);
		} else {
			const { authorization, "x-one": one, host } = request.headers;
			response.end(JSON.stringify([request.method, request.url, authorization, one, host]));
		}
	});
	await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
	({ port } = server.address() as { port: number });
});
after(() => {
	server.closeAllConnections();
	server.close();
});

/** Each gives what it has seen: with `http` and the server's port, in a function and in Node. */
const CASES: Record<string, string> = {
	"a request by URL": `get("http://127.0.0.1:" + port + "/a?b=c")`,
	"a request by options": `get({ host: "127.0.0.1", port, path: "/p?q", headers: { "X-One": 1 }, auth: "u:p", agent: new http.Agent({ keepAlive: true }) })`,
	"a request by both": `get(new URL("http://127.0.0.1:" + port + "/u"), { method: "DELETE", path: "/instead" })`,
	"headers of a response": `new Promise((r) => http.get({ host: "127.0.0.1", port, path: "/cookies" }, (res) => { res.resume(); r([res.statusCode, res.statusMessage, res.headers["set-cookie"], res.headers["x-a"], res.headersDistinct["x-a"], res.rawHeaders.includes("b=2"), res.httpVersion, res.trailers]); }))`,
	"a redirect is given": `new Promise((r) => http.get({ host: "127.0.0.1", port, path: "/redirect" }, (res) => { res.resume(); r([res.statusCode, res.headers.location]); }))`,
	"a body at once": `send({ method: "POST", path: "/echo" }, (req) => req.end("whole"))`,
	"a body in parts": `send({ method: "PUT", path: "/echo" }, async (req) => { req.write("one "); await sleep(2); req.write(Buffer.from("two ")); await sleep(2); req.end("three"); })`,
	"a large body, piped": `send({ method: "POST", path: "/echo" }, (req) => Readable.from(Array.from({ length: 30 }, (_, i) => String(i % 10).repeat(10_000))).pipe(req)).then(([status, , text]) => [status, text.length, text.slice(9_990, 10_010)])`,
	"no response listener": `new Promise((r) => http.get({ host: "127.0.0.1", port, path: "/" }).on("close", () => r("closed")))`,
	"events in their order": `new Promise((r) => { const seen = []; const req = http.request({ host: "127.0.0.1", port, path: "/echo", method: "POST" }); for (const name of ["socket", "finish", "response", "close"]) req.on(name, () => seen.push(name)); req.on("response", (res) => { res.on("end", () => seen.push("end")); res.resume(); }); req.on("close", () => r(seen)); req.end("x"); })`,
	"a connection that is refused": `failure({ port: refused })`,
	"a connection that breaks off": `failure({ port, path: "/break" })`,
	"a response that breaks off": `new Promise((r) => http.get({ host: "127.0.0.1", port, path: "/hang" }, (res) => { const seen = []; res.on("data", (d) => { seen.push(String(d)); res.destroy(new Error("enough")); }); res.on("error", (e) => seen.push(e.message)); res.on("close", () => r([seen, res.complete, res.aborted])); }).on("error", () => {}))`,
	"destroyed before it is answered": `failure({ port, path: "/never" }, (req) => setTimeout(() => req.destroy(), 5))`,
	"destroyed with an error": `failure({ port, path: "/never" }, (req) => setTimeout(() => req.destroy(new RangeError("mine")), 5))`,
	"aborted by a signal": `{ const c = new AbortController(); setTimeout(() => c.abort(), 5); return failure({ port, path: "/never", signal: c.signal }); }`,
	"aborted in the old way": `new Promise((r) => { const seen = []; const req = http.get({ host: "127.0.0.1", port, path: "/never" }); req.on("abort", () => seen.push("abort")); req.on("error", (e) => seen.push(e.code)); req.on("close", () => r([seen, req.aborted, req.destroyed])); setTimeout(() => req.abort(), 5); })`,
	"a timeout": `new Promise((r) => { const req = http.get({ host: "127.0.0.1", port, path: "/never", timeout: 5 }); req.on("timeout", () => { req.on("error", (e) => r(e.code)); req.destroy(); }); })`,
	"headers to be sent": `{ const req = http.request({ host: "127.0.0.1", port, headers: { A: "1", b: ["2", "3"] } }); req.setHeader("c", 4); const told = [req.getHeader("a"), req.getHeaders().b, req.getHeaderNames().includes("c"), req.hasHeader("C"), req.method, req.path, req.protocol, req.host, req.headersSent]; req.on("error", () => {}); req.destroy(); return told; }`,
	"what makes no sense": `[() => http.get("https://127.0.0.1/"), () => http.get({ path: "/a b" }), () => http.request({ method: "a b" }), () => http.request({ headers: { "a b": "c" } }), () => http.request({ headers: { a: "\\n" } }), () => http.get("nonsense"), () => http.validateHeaderName("a b"), () => http.validateHeaderValue("a", undefined)].map((f) => { try { f(); } catch (e) { return [e.name, e.code]; } })`,
	"what the module has": `[http.METHODS, http.STATUS_CODES, http.maxHeaderSize, http.globalAgent.defaultPort, https.globalAgent.protocol, https.globalAgent instanceof http.Agent]`,
};

const SOURCE = `
import http from "node:http"; import https from "node:https"; import { Readable } from "node:stream"; import { text } from "node:stream/consumers";
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
export async function run(name, port, refused) {
	const read = (res) => text(res).then((body) => [res.statusCode, res.headers["x-length"], body, res.complete]);
	const get = (...args) => new Promise((resolve, reject) => http.get(...args, (res) => read(res).then(resolve)).on("error", reject));
	const send = (options, use) => new Promise((resolve, reject) => use(http.request({ host: "127.0.0.1", port, ...options }, (res) => read(res).then(resolve)).on("error", reject)));
	const failure = (options, use = () => {}) => new Promise((r) => { const seen = []; const req = http.get({ host: "127.0.0.1", ...options }, (res) => { res.resume(); seen.push(res.statusCode); }); req.on("error", (e) => seen.push(e.name, e.code, e.message.includes("mine"))); req.on("close", () => r(seen)); use(req); });
	const cases = { ${Object.entries(CASES)
		.map(([name, code]) => `${JSON.stringify(name)}: async () => ${code.startsWith("{") ? code : `(${code})`}`)
		.join(",\n")} };
	return cases[name]();
}`;

test("a client does what Node's does", async (t) => {
	await atoll.write("client-cases.js", SOURCE);
	await atoll.deploy(
		"client",
		`import { run } from "./client-cases.js"; export default { async fetch(request) { const [name, port, refused] = await request.json(); return Response.json((await run(name, port, refused)) ?? null); } };`,
	);
	const { run } = (await import(`data:text/javascript;base64,${Buffer.from(SOURCE).toString("base64")}`)) as {
		run(name: string, port: number, refused: number): Promise<unknown>;
	};
	const closed = createServer();
	await new Promise<void>((listening) => closed.listen(0, "127.0.0.1", listening));
	const { port: refused } = closed.address() as { port: number };
	await new Promise((done) => closed.close(done));
	for (const name of Object.keys(CASES))
		await t.test(name, async () => {
			const found = await atoll.text("client", "/", { method: "POST", body: JSON.stringify([name, port, refused]) });
			const expected = JSON.parse(JSON.stringify((await run(name, port, refused)) ?? null)) as unknown;
			assert.deepEqual(JSON.parse(found), expected, found);
		});
});
