import { type IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { Milliseconds } from "../units.ts";
import { adminApi, describe } from "./admin/api.ts";
import { PAGE, PAGE_POLICY } from "./admin/page.ts";
import { problem } from "./admin/problem.ts";
import { boundBodies } from "./body-room.ts";
import { cloudflareApi } from "./cloudflare/app.ts";
import { failed } from "./cloudflare/envelope.ts";
import { TAILS } from "./cloudflare/tails.ts";
import type { Control } from "./control.ts";
import { ControlError } from "./control-error.ts";
import { dashboard } from "./dashboard/dashboard.ts";
import { Conflict } from "./store/store.ts";
import { type Authenticated, Bearer } from "./tokens.ts";
import { filesIn } from "./uploads/asset-uploads.ts";
import { readForm } from "./uploads/module-files.ts";

/** A request's head has to come within that time, and so many connections there may be: all of it without a token. */
const HEAD_MS: Milliseconds = 15_000;
const MOST_CONNECTIONS = 2000;
/** A connection may have its first request on its way for so long when control is to end. */
const FRESH_MS: Milliseconds = 1000;

/** The HTTP server of control: the admin API, and Cloudflare's beside it. */
export function controlServer(control: Control): Server {
	const app = new Hono<Authenticated & { Bindings: HttpBindings }>();
	app.onError((error, c) => {
		const told = error instanceof ControlError ? error : toldOf(error);
		if (told !== error) control.log("error", `${c.req.method} ${c.req.path}: ${String(error.stack)}`);
		return c.req.path.startsWith("/client/") ? failed(c, told) : problem(c, told);
	});
	// Whoever still sends when the answer is there is cut off, and is not to use the connection again; nor is anybody at the end.
	app.use(async (c, next) => {
		await next();
		if (!c.env.incoming.complete || !server.listening) c.header("connection", "close");
	});
	app.notFound((c) => problem(c, new ControlError("not_found", `there is no ${c.req.method} ${c.req.path}`)));
	app.get("/healthz", (c) => c.text("ok"));
	app.get("/readyz", (c) => (control.feed.edges > 0 ? c.text("ok") : c.text("no edge is at work", 503)));
	app.get("/metrics", async (c) => {
		const { remoteAddress = "" } = c.env.incoming.socket;
		const forwarded = c.req.header("forwarded") ?? c.req.header("x-forwarded-for");
		if (!isHere(remoteAddress, forwarded) || !isOwnName(c.req.header("host") ?? "")) {
			const bearer = await control.tokens.authenticate(c.req.header("authorization"), remoteAddress);
			bearer.requireAll("read");
		}
		return c.body(await control.metrics.text(), 200, { "content-type": control.metrics.contentType });
	});
	const bounded = boundBodies();
	const api = adminApi(control);
	// Made once: whoever asks has no token.
	const description = JSON.stringify(describe(api));
	app.get("/openapi.json", (c) => c.body(description, 200, { "content-type": "application/json" }));
	app.get("/api", (c) => c.html(PAGE, 200, { "content-security-policy": PAGE_POLICY }));
	app.route("/", dashboard(control));
	// Its bearer is the session's, and not a token of the API.
	app.post("/client/v4/accounts/:account/workers/assets/upload", asSession(control), bounded, async (c) => {
		const done = await control.assets.receive(jwtOf(c), await filesIn(await readForm(c.req), "base64"));
		return c.json(
			{ success: true, errors: [], messages: [], result: done === null ? {} : { jwt: done } },
			done === null ? 202 : 201,
		);
	});
	// Who sends or fetches a file of SQL has its secret from the API, and no token.
	app.put("/client/v4/accounts/:account/d1/uploads/:secret", async (c) => {
		const md5 = await control.transfers.receive(c.req.param("secret"), c.req.raw.body ?? new ReadableStream());
		return c.body(null, 200, { etag: `"${md5}"` });
	});
	app.get("/client/v4/accounts/:account/d1/downloads/:secret", (c) => {
		const secret = c.req.param("secret");
		if (!control.transfers.has(secret)) throw new ControlError("not_found", "there is no such file, or not any more");
		const content = ReadableStream.from(control.transfers.fetch(secret)) as ReadableStream;
		return c.body(content, 200, { "content-type": "application/sql" });
	});
	for (const path of ["/client/*", "/v1/*"]) {
		app.use(path, async (c, next) => {
			const address = c.env.incoming.socket.remoteAddress ?? "";
			c.set("bearer", await control.tokens.authenticate(c.req.header("authorization"), address));
			await next();
		});
		app.use(path, bounded);
	}
	app.route("/v1", api);
	app.route("/client/v4", cloudflareApi(control));
	// All else that asks for another protocol is an ordinary request, whose connection has its bounds.
	const shouldUpgradeCallback = ({ url }: IncomingMessage) => url?.startsWith(TAILS) ?? false;
	const serverOptions = { shouldUpgradeCallback, headersTimeout: HEAD_MS, connectionsCheckingInterval: HEAD_MS / 2 };
	const server = createAdaptorServer({ fetch: app.fetch, serverOptions }) as Server;
	server.maxConnections = MOST_CONNECTIONS;
	keepFresh(server);
	server.on("upgrade", (req, socket) => {
		if (control.tails.upgrade(req, socket)) return;
		socket.on("error", () => undefined); // Whoever it was has no right to be heard.
		socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n", () => socket.destroy());
	});
	return server;
}

/**
 * Has `closeIdleConnections` leave those alone that had no request yet: it is on its way, and Node would cut it off. One
 * on which none comes is closed a second later.
 */
function keepFresh(server: Server): void {
	const answered = new Set<Socket>();
	server.on("connection", (socket: Socket) => socket.on("close", () => answered.delete(socket)));
	server.on("request", ({ socket }, res) => {
		answered.delete(socket);
		res.on("close", () => socket.destroyed || answered.add(socket));
	});
	let closingSince: Milliseconds | null = null;
	server.closeIdleConnections = () => {
		closingSince ??= performance.now();
		for (const socket of answered) socket.destroy();
		if (performance.now() - closingSince > FRESH_MS) Server.prototype.closeIdleConnections.call(server);
	};
}

/** Whether who asks is on this machine, and asks for nobody else. */
function isHere(address: string, forwarded: string | undefined): boolean {
	return forwarded === undefined && /^(?:::ffff:)?127\.|^::1$/.test(address);
}

/**
 * Whether a Host is an address, or a name without dots such as this machine's: a page that a browser here has open may
 * have its own name lead here, and would read the answer.
 */
function isOwnName(host: string): boolean {
	return /^(?:\[[\da-f:.]{2,45}\]|[\d.]{7,15}|[\w-]{1,63})(?::\d{1,5})?$/i.test(host);
}

const jwtOf = (c: Context) => c.req.header("authorization")?.replace(/^Bearer +/i, "") ?? "";

/** Who goes on with a session of files is known by its token, before any of them is read. */
function asSession({ assets }: Control): MiddlewareHandler<Authenticated> {
	return async (c, next) => {
		const label = `the files of ${await assets.session(jwtOf(c))}`;
		c.set("bearer", new Bearer(label, { label, scope: "deploy", tenant: null, functions: [], expires: null }));
		await next();
	};
}

/** What a caller hears of an error that is not its own. */
function toldOf(error: Error): ControlError {
	if (isDiskFull(error)) return new ControlError("disk_full", "the server's disk is full, so that nothing can be kept");
	if (error instanceof Conflict)
		return new ControlError("conflict", "it was changed by others again and again meanwhile; try again", 1);
	return new ControlError("internal", "the server failed; its log says why");
}

function isDiskFull(error: Error & { code?: string; errcode?: number }): boolean {
	// https://www.sqlite.org/rescode.html#full
	const SQLITE_FULL = 13;
	return ["ENOSPC", "EDQUOT"].includes(error.code ?? "") || error.errcode === SQLITE_FULL;
}
