import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { SeenRequest } from "../../feed/messages.ts";
import { keyOf, tenantOfKey } from "../../names.ts";
import type { Count, Milliseconds } from "../../units.ts";
import type { Control } from "../control.ts";
import { type Feed, MOST_WATCHERS } from "../feed/feed.ts";
import { outcomeOf, type TailFilter, tailFilter } from "../tails/tail-filters.ts";
import { type TailedInvocation, TailSession } from "../tails/tail-session.ts";
import type { Authenticated, Bearer, Tokens } from "../tokens.ts";
import { ok } from "./envelope.ts";
import { bodyOf, functionOf } from "./request.ts";
import { TailSocket } from "./tail-socket.ts";

/** Where tails are connected to. */
export const TAILS = "/client/v4/tails/";
/** A tail that nobody has connected to, or that goes on for longer, ends. */
const TAIL_MS: Milliseconds = 6 * 3600_000;
const CONNECT_MS: Milliseconds = 60_000;
/** What a client does not take is dropped past this. */
const MOST_WAITING = 2 ** 20;

const tailSchema = z.looseObject({ filters: z.array(tailFilter).max(20).default([]) });

interface Tail {
	id: string;
	function: string;
	script: string;
	filters: readonly TailFilter[];
	/** Known to whoever has asked for the tail. */
	secret: string;
	timer: NodeJS.Timeout;
	/** Has its token no longer be listened to. */
	forget: () => void;
	close: (() => void) | null;
}

/** Live tails: what a function does is sent over a WebSocket as it happens (`trace-v1`). */
export class Tails {
	readonly #feed: Feed;
	readonly #tokens: Tokens;
	readonly #tails = new Map<string, Tail>();

	constructor(feed: Feed, tokens: Tokens) {
		this.#feed = feed;
		this.#tokens = tokens;
	}

	/**
	 * Makes a tail, to be connected to within a minute at `/client/v4/tails/<id>/<secret>`, which ends with its bearer's
	 * token. Throws ControlError `too_many_tails`.
	 */
	open({ key, script, filters, bearer }: { key: string; script: string; filters: TailFilter[]; bearer: Bearer }): Tail {
		this.#feed.refuseIfFull(key);
		const tenant = tenantOfKey(key);
		// Of those that nobody has connected to the oldest makes room.
		const idle = [...this.#tails.values()].filter(
			(other) => other.close === null && tenantOfKey(other.function) === tenant,
		);
		if (idle.length >= MOST_WATCHERS) this.end(idle[0].id);
		const id = randomUUID();
		const tail: Tail = {
			id,
			function: key,
			script,
			filters,
			secret: randomBytes(16).toString("hex"),
			timer: setTimeout(() => this.end(id), CONNECT_MS).unref(),
			forget: this.#tokens.onEnd(bearer, () => this.end(id)),
			close: null,
		};
		this.#tails.set(id, tail);
		return tail;
	}

	/** Ends a tail, if it is one of a function. */
	endOf(key: string, id: string): void {
		if (this.#tails.get(id)?.function === key) this.end(id);
	}

	end(id: string): void {
		const tail = this.#tails.get(id);
		if (tail === undefined) return;
		this.#tails.delete(id);
		clearTimeout(tail.timer);
		tail.forget();
		tail.close?.();
	}

	/** Takes an upgrade, if it is for a tail. */
	upgrade(req: IncomingMessage, socket: Duplex): boolean {
		const [, id, secret] = /^\/client\/v4\/tails\/([\w-]+)\/(\w+)$/.exec(req.url ?? "") ?? [];
		const tail = this.#tails.get(id ?? "");
		if (tail === undefined || tail.secret !== secret || tail.close !== null) return false;
		if (!this.#feed.hasRoom(tail.function)) return false;
		this.#connect(tail, req, socket);
		return true;
	}

	#connect(tail: Tail, req: IncomingMessage, duplex: Duplex): void {
		clearTimeout(tail.timer);
		tail.timer = setTimeout(() => this.end(tail.id), TAIL_MS).unref();
		const { function: key, filters } = tail;
		const send = (frame: object) => {
			if (socket.waiting <= MOST_WAITING) socket.send(JSON.stringify(frame));
		};
		const session = new TailSession(
			{ scope: key, filters, origins: true },
			{
				onInvocation: (one) => send(frameOf(tail.script, one)),
				onLeftOut: (count) => send(overloadOf(tail.script, count)),
			},
		);
		const unwatch = this.#feed.watch(session);
		const socket = new TailSocket(req, duplex, () => {
			unwatch();
			tail.close = null;
			this.end(tail.id);
		});
		tail.close = () => socket.close();
	}

	close(): void {
		for (const id of [...this.#tails.keys()]) this.end(id);
	}
}

/** `TypeError: message`, with or without the stack behind it. */
const ERROR = /^(?:Uncaught )?([A-Z]\w*(?:Error|Exception)?): ([^\n]*)/;

function frameOf(script: string, one: TailedInvocation): object {
	const { record, lines } = one;
	const outcome = outcomeOf(one);
	// What ended the request is the last line that tells of an error.
	const ending =
		outcome === "ok" || outcome === "canceled" ? -1 : lines.findLastIndex(({ level }) => level === "error");
	const timestamp = Date.parse(record.time);
	return {
		outcome,
		scriptName: script,
		scriptVersion: { id: record.version },
		entrypoint: record.event === "rpc" ? "default" : null,
		exceptions: ending < 0 ? [] : [exceptionOf(lines[ending].message, Date.parse(lines[ending].time))],
		logs: lines
			.filter((_, i) => i !== ending)
			.map(({ message, level, time }) => ({ message: [message], level, timestamp: Date.parse(time) })),
		eventTimestamp: timestamp,
		event: eventOf(one),
		cpuTime: Math.round(record.cpuMs),
		wallTime: Math.round(record.wallMs),
		truncated: false,
		diagnosticsChannelEvents: [],
	};
}

/** What a tail's frame has of an event, which its reader knows the event's type by. */
function eventOf({ record, request, event }: TailedInvocation): object {
	if (record.event === "http")
		return {
			request: { url: record.url, method: record.method, ...toldOf(request) },
			response: { status: record.status },
		};
	return record.event === "rpc" ? { rpcMethod: record.method } : (event ?? {});
}

/** That there is more than is shown, which is a frame of its own: nothing else of it is read. */
function overloadOf(script: string, count: Count): object {
	const many = count === 1 ? "1 invocation was" : `${count} invocations were`;
	const message = `${many} left out within the last second, since there are too many: filter the tail to see all`;
	return {
		...{ outcome: "ok", scriptName: script, entrypoint: null, exceptions: [], logs: [], eventTimestamp: Date.now() },
		...{ event: { type: "overload", message }, truncated: false, diagnosticsChannelEvents: [] },
	};
}

/** A request's headers and `cf`, where a worker's own request has the client's address and what `request.cf` tells. */
function toldOf(request: SeenRequest | null): { headers: object; cf: object } {
	const { headers = {}, client = null } = request ?? {};
	if (client === null) return { headers, cf: {} };
	return {
		headers: { ...headers, "cf-connecting-ip": client.ip },
		cf: { httpProtocol: client.protocol, tlsVersion: client.tls ?? "" },
	};
}

function exceptionOf(text: string, timestamp: number): object {
	const [, name = "Error", message = text] = ERROR.exec(text) ?? [];
	return { name, message, timestamp, stack: text };
}

/** The calls that make and end tails: `/accounts/:account/workers/scripts/:script/tails`. */
export function tailCalls(control: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	app.post("/", async (c) => {
		const id = functionOf(c, "read");
		await control.catalog.find(id);
		const { filters } = await bodyOf(c, tailSchema);
		const address = addressOf(c);
		const own = filters.map(({ client_ip: addresses, ...filter }) => ({
			...filter,
			...(addresses && { client_ip: addresses.map((one) => (one === "self" ? address : one)) }),
		}));
		const tail = control.tails.open({ key: keyOf(id), script: id.name, filters: own, bearer: c.get("bearer") });
		const host = c.req.header("host") ?? "localhost";
		return ok(c, {
			id: tail.id,
			url: `ws://${host}/client/v4/tails/${tail.id}/${tail.secret}`,
			expires_at: new Date(Date.now() + TAIL_MS).toISOString(),
		});
	});
	app.get("/", (c) => {
		functionOf(c, "read");
		return ok(c, []);
	});
	app.delete("/:tail", (c) => {
		control.tails.endOf(keyOf(functionOf(c, "read")), c.req.param("tail"));
		return ok(c, null);
	});
	return app;
}

/** Where a call came from. */
function addressOf(c: Context): string {
	const { remoteAddress = "" } = (c.env as HttpBindings).incoming.socket;
	return remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
}
