/** `node:http` as a server: what Node itself answers to the same requests is what a function answers. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { resolve } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { errorCode, TestRuntime, temporaryFolder } from "../support/runtime.ts";

const atoll = new TestRuntime({ isolation: "inline", limits: { cpuMs: 20_000 } });
const folder = temporaryFolder();

interface Told {
	status: number;
	headers: Record<string, string>;
	text: string;
}
const OF_THE_CONNECTION = [
	"date",
	"connection",
	"keep-alive",
	"transfer-encoding",
	"content-length",
	"x-atoll-request-id",
];

async function told(response: Response): Promise<Told> {
	const headers = [...response.headers].filter(([name]) => !OF_THE_CONNECTION.includes(name));
	return { status: response.status, headers: Object.fromEntries(headers), text: await response.text() };
}

/** A module that exports `listener`, as a function behind `cloudflare:node`, and as Node runs it. */
async function inBoth(name: string, source: string, requests: [path: string, init?: RequestInit][]): Promise<Told[]> {
	const module = await atoll.write(`${name}-listener.js`, source);
	const { startFailure } = await atoll.deploy(
		name,
		`import { listener } from "./${name}-listener.js"; import { createServer } from "node:http"; import { httpServerHandler } from "cloudflare:node";
		createServer(listener).listen(8080); export default httpServerHandler({ port: 8080 });`,
	);
	assert.equal(startFailure, null);
	const outfile = `${folder}/${name}.mjs`;
	const banner = 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);';
	await build({
		entryPoints: [module],
		outfile,
		bundle: true,
		platform: "node",
		format: "esm",
		banner: { js: banner },
	});
	const { listener } = (await import(pathToFileURL(outfile).href)) as { listener: () => void };
	const server = createServer(listener);
	await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
	after(() => server.close());
	const { port } = server.address() as { port: number };
	const all: Told[] = [];
	for (const [path, init] of requests) {
		const headers = { ...(init?.headers as Record<string, string>), host: `${name}.test` };
		const found = await told(await atoll.fetch(name, path, { ...init, headers }));
		const expected = await told(await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers: init?.headers }));
		assert.deepEqual(found, expected, path);
		all.push(found);
	}
	return all;
}

test("a listener reads requests and writes responses as in Node", async () => {
	const source = `
	const tell = (error) => [error.name, error.code, error.message];
	const routes = {
		"/read": async (req, res) => { let text = ""; for await (const part of req) text += part; res.setHeader("Content-Type", "application/json"); res.end(JSON.stringify([req.method, req.url, req.headers["x-one"], req.headersDistinct["x-one"], req.httpVersion, req.complete, text, req.socket.encrypted ?? false])); },
		"/headers": (req, res) => { res.setHeader("X-A", 5); res.setHeader("Set-Cookie", ["a=1", "b=2"]); res.appendHeader("X-B", "1"); res.appendHeader("x-b", "2"); res.setHeader("gone", "x"); res.removeHeader("GONE");
			const before = [res.getHeader("x-a"), res.getHeaders(), res.getHeaderNames(), res.hasHeader("set-cookie"), res.headersSent]; res.writeHead(201, { "x-c": "y" }); const tried = (() => { try { res.setHeader("x", "y"); } catch (e) { return tell(e); } })();
			res.end(JSON.stringify([before, res.headersSent, tried, res.writableEnded])); },
		"/parts": async (req, res) => { const seen = []; res.on("finish", () => seen.push("finish")).on("close", () => console.log(seen)); res.write("one "); await new Promise((r) => setTimeout(r, 2)); seen.push(res.headersSent, res.writableEnded); res.write(Buffer.from("two ")); res.write("dGhyZWU=", "base64"); res.end(" " + JSON.stringify(seen)); },
		"/array": (req, res) => res.writeHead(200, ["x-d", "1", "x-d", "2"]).end("array"),
		"/status": (req, res) => { try { res.writeHead(1000); } catch (e) { res.statusCode = 418; res.end(JSON.stringify(tell(e))); } },
		"/invalid": (req, res) => { const tries = [() => res.setHeader("a b", "x"), () => res.setHeader("a", "\\n"), () => res.setHeader("a", undefined), () => res.end({}) ]; res.end(JSON.stringify(tries.map((f) => { try { f(); } catch (e) { return [e.name, e.code]; } }))); },
		"/empty": (req, res) => { res.statusCode = 204; res.end("nothing"); },
		"/304": (req, res) => { res.writeHead(304, { etag: '"x"' }); res.end(); },
		"/pipe": (req, res) => { res.setHeader("content-type", "text/plain"); req.pipe(res); },
		"/events": (req, res) => { const seen = []; req.on("data", (d) => seen.push(String(d))); req.on("end", () => { seen.push("end"); res.end(JSON.stringify(seen)); }); },
		"/callback": (req, res) => { const seen = []; res.write("a", () => seen.push("written")); res.end("b", () => seen.push("ended")); },
	};
	export const listener = (req, res) => { const { pathname } = new URL(req.url, "http://x"); (routes[pathname] ?? ((_, r) => { r.statusCode = 404; r.end(); }))(req, res); };`;
	await inBoth("plain", source, [
		["/read?x=1&y=%20", { method: "POST", body: "héllo", headers: { "x-one": "1" } }],
		["/read"],
		["/headers"],
		["/headers", { method: "HEAD" }],
		["/parts"],
		["/array"],
		["/status"],
		["/invalid"],
		["/empty"],
		["/304"],
		["/pipe", { method: "PUT", body: "x".repeat(200_000) }],
		["/events", { method: "POST", body: "data" }],
		["/callback"],
		["/missing"],
	]);
});

test("an Express app routes, reads JSON, answers, and handles its errors as in Node", async () => {
	const source = `import express from ${JSON.stringify(resolve("node_modules/express/index.js"))};
	const app = express();
	app.use(express.json()).use(express.urlencoded({ extended: true }));
	app.use((req, res, next) => { res.set("x-middleware", "yes"); next(); });
	app.get("/hello/:name", (req, res) => res.send("hello " + req.params.name));
	app.get("/query", (req, res) => res.json({ query: req.query, protocol: req.protocol, xhr: req.xhr, accepts: req.accepts("json", "html") }));
	app.post("/body", (req, res) => res.status(201).json({ got: req.body, type: req.get("content-type"), is: req.is("json") }));
	app.get("/redirect", (req, res) => res.redirect("/hello/you"));
	app.get("/cookie", (req, res) => res.cookie("a", "b", { httpOnly: true }).type("txt").send("set"));
	app.get("/stream", (req, res) => { res.write("a"); setTimeout(() => res.end("b"), 1); });
	app.get("/buffer", (req, res) => res.send(Buffer.from("bytes")));
	app.get("/boom", async () => { throw Object.assign(new Error("boom"), { status: 418 }); });
	const router = express.Router(); router.get("/deep", (req, res) => res.json([req.baseUrl, req.originalUrl, req.url])); app.use("/nested", router);
	app.use((error, req, res, next) => res.status(error.status ?? 500).json({ error: error.message, type: error.type }));
	export const listener = app;`;
	const json = { "content-type": "application/json" };
	const all = await inBoth("express", source, [
		["/hello/w%C3%B6rld"],
		["/hello/you", { method: "HEAD" }],
		["/query?a=1&b=2&b=3"],
		["/body", { method: "POST", body: '{"x":[1]}', headers: json }],
		["/body", { method: "POST", body: "a=1&b=2", headers: { "content-type": "application/x-www-form-urlencoded" } }],
		["/body", { method: "POST", body: "{broken", headers: json }],
		["/redirect", { redirect: "manual" }],
		["/cookie"],
		["/stream"],
		["/buffer"],
		["/boom"],
		["/nested/deep?x"],
		["/missing"],
		["/hello/you", { method: "DELETE" }],
	]);
	assert.equal(all[0].text, "hello wörld");
});

test("a Fastify app routes, validates, and answers as in Node", async () => {
	const source = `import fastify from ${JSON.stringify(resolve("node_modules/fastify/fastify.js"))};
	const app = fastify();
	app.addHook("onSend", async (request, reply) => { reply.header("x-hook", request.method); });
	app.get("/hello/:name", async (request) => ({ hello: request.params.name, query: request.query, host: request.protocol }));
	app.post("/body", { schema: { body: { type: "object", required: ["x"], properties: { x: { type: "integer" } } } } }, async (request, reply) => reply.code(201).send(request.body));
	app.get("/boom", async () => { throw Object.assign(new Error("boom"), { statusCode: 418 }); });
	export const listener = async (request, response) => { await app.ready(); app.routing(request, response); };`;
	const json = { "content-type": "application/json" };
	await inBoth("fastify", source, [
		["/hello/you?a=1"],
		["/body", { method: "POST", body: '{"x":1}', headers: json }],
		["/body", { method: "POST", body: '{"x":"y"}', headers: json }],
		["/body", { method: "POST", body: "{", headers: json }],
		["/boom"],
		["/missing"],
	]);
});

test("a server's other forms: its own handler, a port of the system's, and requests handed over one by one", async () => {
	await atoll.deploy(
		"forms",
		`import http from "node:http"; import { handleAsNodeRequest, httpServerHandler } from "cloudflare:node";
		const seen = [];
		const server = new http.Server((req, res) => res.end("own " + req.url + " " + req.socket.remoteAddress)).on("listening", () => seen.push("listening"));
		server.listen({ port: 0 }, () => seen.push("called"));
		const taken = http.createServer((req, res) => res.end("8081")).listen(8081);
		http.createServer().on("error", (error) => seen.push(error.code)).listen(8081);
		const closed = http.createServer(); closed.close((error) => seen.push(error.code));
		export default { async fetch(request) {
			const { pathname } = new URL(request.url);
			if (pathname === "/own") return httpServerHandler(server).fetch(request);
			if (pathname === "/port") return handleAsNodeRequest(server.address().port, request);
			if (pathname === "/other") return handleAsNodeRequest(8081, request);
			if (pathname === "/none") return handleAsNodeRequest(1, request).catch((error) => new Response(error.message));
			return Response.json([seen, server.listening]);
		} };`,
	);
	assert.match(await atoll.text("forms", "/own?q"), /^own \/own\?q (\S+)$/);
	assert.match(await atoll.text("forms", "/port"), /^own \/port/);
	assert.equal(await atoll.text("forms", "/other"), "8081");
	assert.match(await atoll.text("forms", "/none"), /listens on port 1/);
	assert.deepEqual(JSON.parse(await atoll.text("forms")), [
		["listening", "called", "EADDRINUSE", "ERR_SERVER_NOT_RUNNING"],
		true,
	]);
});

test("what is written leaves as it is written, and a client that goes ends it", async () => {
	await atoll.deploy(
		"streams",
		`import http from "node:http"; import { httpServerHandler } from "cloudflare:node";
		export default httpServerHandler(http.createServer((req, res) => {
			res.on("close", () => console.log("closed " + res.writableFinished + " " + req.aborted));
			let n = 0; const timer = setInterval(() => res.write("part " + n++), 1); res.on("close", () => clearInterval(timer));
		}).listen(0));`,
	);
	const response = await atoll.fetch("streams");
	const reader = (response.body as ReadableStream<Uint8Array>).getReader();
	const { value } = await reader.read();
	assert.equal(new TextDecoder().decode(value), "part 0");
	await reader.cancel();
	await atoll.log("closed false");
});

test("a response that is destroyed, and a listener that throws, is a failure of the request", async () => {
	await atoll.deploy(
		"fails",
		`import http from "node:http"; import { httpServerHandler } from "cloudflare:node";
		export default httpServerHandler(http.createServer((req, res) => { if (req.url === "/throw") throw new Error("thrown"); if (req.url === "/socket") return req.socket.destroy(); res.on("error", () => {}); res.destroy(new Error("destroyed")); }).listen(0));`,
	);
	for (const path of ["/", "/throw", "/socket"])
		assert.equal(await errorCode(await atoll.fetch("fails", path)), "exception");
});
