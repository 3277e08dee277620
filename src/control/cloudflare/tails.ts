import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { Hono } from "hono";
import { z } from "zod";
import { keyOf, tenantOfKey } from "../../names.ts";
import type { Outcome } from "../../observe/record.ts";
import type { Milliseconds } from "../../units.ts";
import type { Control } from "../control.ts";
import type { Feed } from "../feed.ts";
import { type TailedInvocation, TailSession } from "../tail-session.ts";
import type { Authenticated } from "../tokens.ts";
import { ok } from "./envelope.ts";
import { bodyOf, functionOf } from "./request.ts";
import { TailSocket } from "./tail-socket.ts";
import { notThere } from "./upload.ts";

/** Where tails are connected to. */
export const TAILS = "/client/v4/tails/";
/** A tail that nobody has connected to, or that goes on for longer, ends. */
const TAIL_MS: Milliseconds = 6 * 3600_000;
const CONNECT_MS: Milliseconds = 60_000;
/** What a client does not take is dropped past this. */
const MOST_WAITING = 2 ** 20;
/** Of one tenant; the oldest makes room. */
const MOST_TAILS = 20;

/** As workers' own tools have it: https://developers.cloudflare.com/workers/observability/logs/tail-workers/ */
const OUTCOMES: Partial<Record<Outcome, string>> = {
	ok: "ok",
	client_gone: "canceled",
	exception: "exception",
	invalid_response: "exception",
	cpu_limit_exceeded: "exceededCpu",
	startup_cpu_limit_exceeded: "exceededCpu",
	memory_limit_exceeded: "exceededMemory",
};
const outcomeOf = ({ record: { outcome } }: TailedInvocation) => OUTCOMES[outcome] ?? "unknown";

const filterSchema = z.looseObject({
	sampling_rate: z.number().optional(),
	outcome: z.array(z.string()).max(100).optional(),
	method: z.array(z.string()).max(100).optional(),
	query: z.string().max(1000).optional(),
	scriptVersion: z.string().optional(),
	header: z.unknown().optional(),
	client_ip: z.unknown().optional(),
});
const tailSchema = z.looseObject({ filters: z.array(filterSchema).max(20).default([]) });
type Filter = z.infer<typeof filterSchema>;

interface Tail {
	id: string;
	function: string;
	script: string;
	filters: Filter[];
	/** Known to whoever has asked for the tail. */
	secret: string;
	timer: NodeJS.Timeout;
	close: (() => void) | null;
}

/** Live tails: what a function does is sent over a WebSocket as it happens (`trace-v1`). */
export class Tails {
	readonly #feed: Feed;
	readonly #tails = new Map<string, Tail>();

	constructor(feed: Feed) {
		this.#feed = feed;
	}

	/** Makes a tail, to be connected to within a minute at `/client/v4/tails/<id>/<secret>`. */
	open(key: string, script: string, filters: Filter[]): Tail {
		const tenant = tenantOfKey(key);
		const beside = [...this.#tails.values()].filter((other) => tenantOfKey(other.function) === tenant);
		if (beside.length >= MOST_TAILS) this.end(beside[0].id);
		const id = randomUUID();
		const timer = setTimeout(() => this.end(id), CONNECT_MS).unref();
		const tail: Tail = {
			id,
			function: key,
			script,
			filters,
			secret: randomBytes(16).toString("hex"),
			timer,
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
		const session = new TailSession(tail.function, (one) => {
			if (passes(tail.filters, one) && socket.waiting <= MOST_WAITING)
				socket.send(JSON.stringify(frameOf(tail.script, one)));
		});
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

function passes(filters: readonly Filter[], one: TailedInvocation): boolean {
	return filters.every(({ sampling_rate: rate, outcome, method, query, scriptVersion }) => {
		if (rate !== undefined && Math.random() >= rate) return false;
		if (outcome !== undefined && !outcome.includes(outcomeOf(one))) return false;
		if (method !== undefined && !method.includes(one.record.method)) return false;
		if (scriptVersion !== undefined && one.record.version !== scriptVersion) return false;
		return query === undefined || one.lines.some(({ message }) => message.includes(query));
	});
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
	const event =
		record.event === "http"
			? {
					request: { url: record.url, method: record.method, headers: {}, cf: {} },
					response: { status: record.status },
				}
			: record.event === "rpc"
				? { rpcMethod: record.method }
				: {};
	return {
		outcome,
		scriptName: script,
		scriptVersion: { id: record.version },
		entrypoint: null,
		exceptions: ending < 0 ? [] : [exceptionOf(lines[ending].message, Date.parse(lines[ending].time))],
		logs: lines
			.filter((_, i) => i !== ending)
			.map(({ message, level, time }) => ({ message: [message], level, timestamp: Date.parse(time) })),
		eventTimestamp: timestamp,
		event,
		cpuTime: Math.round(record.cpuMs),
		wallTime: Math.round(record.wallMs),
		truncated: false,
		diagnosticsChannelEvents: [],
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
		for (const { header, client_ip } of filters)
			if (header !== undefined || client_ip !== undefined)
				throw notThere("filters of a tail by header and by client_ip");
		const tail = control.tails.open(keyOf(id), id.name, filters);
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
