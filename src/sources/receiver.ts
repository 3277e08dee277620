import type { IncomingMessage, ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { Account } from "../limits/account.ts";
import type { TenantName } from "../names.ts";
import { type TraceContext, traceOf } from "../observe/trace-context.ts";
import { parseHost } from "../router/hostname.ts";
import { guarded } from "../server/connection.ts";
import type { Handlers } from "../server/http-server.ts";
import { linger } from "../server/linger.ts";
import { refusalIn } from "../stores/data-process.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type DeliveryParts, deliver } from "./delivery.ts";
import { Malformed, type Scheme } from "./scheme.ts";
import { cloudevents } from "./schemes/cloudevents.ts";
import { github } from "./schemes/github.ts";
import { standardWebhooks } from "./schemes/standard-webhooks.ts";
import { stripe } from "./schemes/stripe.ts";
import type { SchemeName, Source } from "./source-settings.ts";
import { MOST_TENANTS, type Sources } from "./sources.ts";

const PATH = "/events/";
/** What is read of a request, and for how long. */
const MOST_BODY: Bytes = 256 * 1024;
const BODY_MS: Milliseconds = 15_000;
/** A small body comes in few parts; many are put together, since each has a weight of its own. */
const MOST_PARTS = 32;
/** Senders of CloudEvents are told that they may send so many requests in a minute. */
const ALLOWED_RATE = 6000;

const BY_NAME: Record<SchemeName, Scheme> = {
	github,
	stripe,
	"standard-webhooks": standardWebhooks,
	cloudevents,
};

export interface ReceiverParts extends DeliveryParts {
	sources: Sources;
	/** What bodies that come in are held on: each tenant's within an account of its own. */
	account: Account;
	/** Resolves once all sources were heard of, or nobody waits for that any longer: whether they were. */
	known: () => Promise<boolean>;
	/** Whether there are sources, or may be. */
	isOpen: () => boolean;
}

/** A request is not taken, and why, as its sender is told it. */
class Refused extends Error {
	override name = "Refused";
	readonly status: number;
	/** Seconds after which to try again. */
	readonly retryAfter: number | null;

	constructor(status: number, message: string, retryAfter: number | null = null) {
		super(message);
		this.status = status;
		this.retryAfter = retryAfter;
	}
}

/** What is no source's own, and what is sent to no source, are told the same. */
const unsigned = () => new Refused(401, "there is no source here for which this is signed");

const tooMuch = () => new Refused(429, "the source is sent too much at a time", 1);

const tooLarge = () => new Refused(413, `a request has up to ${MOST_BODY} bytes`);

/**
 * A server's handlers, with events of sources taken at `/events/` of a hostname; all else goes to the handlers that
 * there are.
 */
export function receiving(hostname: string, parts: ReceiverParts, handlers: Handlers): Handlers {
	const { guard } = handlers;
	const bodies = new BodyAccounts(parts.account);
	const isEvent = (req: IncomingMessage) =>
		parts.isOpen() && req.url?.startsWith(PATH) === true && parseHost(req.headers.host ?? "")?.hostname === hostname;
	const receive = (req: IncomingMessage, res: ServerResponse, onBodyWanted: () => void) =>
		answer({ ...parts, bodies }, req, res, onBodyWanted).catch((error: unknown) =>
			guard.fault(guarded(req.socket), error),
		);
	return {
		nodeHandler: (req, res) => {
			if (isEvent(req)) void receive(req, res, () => undefined);
			else handlers.nodeHandler(req, res);
		},
		continueHandler: (req, res) => {
			if (isEvent(req)) void receive(req, res, () => res.writeContinue());
			else handlers.continueHandler(req, res);
		},
		upgradeHandler: (req, socket, head) => handlers.upgradeHandler(req, socket, head),
		closeWebSockets: () => handlers.closeWebSockets(),
		refuse: (error, answered) => handlers.refuse(error, answered),
		guard,
		unfinished: handlers.unfinished,
	};
}

/** What each tenant's sources are sent is held on: who has most held of it is cut, and none is of another tenant's. */
class BodyAccounts {
	readonly #all: Account;
	/** Of what is sent to no source, by whatever name. */
	readonly #nobodys: Account;
	readonly #tenants = new LRUCache<TenantName, Account>({ max: MOST_TENANTS });

	constructor(all: Account) {
		this.#all = all;
		this.#nobodys = all.part();
	}

	of({ tenant }: Source, known: boolean): Account {
		if (!known) return this.#nobodys;
		const account = this.#tenants.get(tenant) ?? this.#all.part();
		this.#tenants.set(tenant, account);
		return account;
	}
}

type Receiving = ReceiverParts & { bodies: BodyAccounts };

async function answer(
	parts: Receiving,
	req: IncomingMessage,
	res: ServerResponse,
	onBodyWanted: () => void,
): Promise<void> {
	try {
		if (req.method === "OPTIONS") shakeHands(req, res);
		else {
			await take(parts, req, onBodyWanted);
			end(req, res, 202, {});
		}
	} catch (error) {
		const refused = toldOf(error);
		if (refused === null) throw error;
		const { status, message, retryAfter } = refused;
		if (retryAfter !== null) res.setHeader("retry-after", retryAfter);
		if (status === 405) res.setHeader("allow", "POST, OPTIONS");
		end(req, res, status, { error: message });
	}
}

/** Takes in what a request brings. Throws Refused, and Malformed. */
async function take(parts: Receiving, req: IncomingMessage, onBodyWanted: () => void): Promise<void> {
	if (req.method !== "POST") throw new Refused(405, "events come by POST");
	const { sources } = parts;
	const areKnown = await parts.known();
	const [path] = (req.url ?? "").slice(PATH.length).split("?");
	const { source, known } = sources.at(path);
	// It may be there: whoever is told so sends it again, who is told that it is not does not.
	if (!known && !areKnown) throw new Refused(503, "it is not known yet which sources there are", 10);
	const claimed = { headers: req.headers, secrets: source.secrets, source: PATH + path, now: Date.now() };
	const check = BY_NAME[source.scheme](claimed);
	if (check === null) throw unsigned();
	if (Number(req.headers["content-length"] ?? 0) > MOST_BODY) throw tooLarge();
	if (!sources.allowsRequest(source, performance.now())) throw tooMuch();
	onBodyWanted();
	const body = await bodyOf(req, parts.bodies.of(source, known));
	// What was not sent counts for nothing: a length is said at no cost.
	if (!sources.allowsBody(source, body.length, performance.now())) throw tooMuch();
	const isWorkedOn = known || sources.allowsDecoy(body.length, performance.now());
	const events = isWorkedOn ? check(body) : null;
	if (events === null || !known) throw unsigned();
	const trace = traceSentBy(req);
	await Promise.all(events.map((event) => deliver(parts, source, { ...event, trace })));
}

function traceSentBy({ headers: { traceparent, tracestate } }: IncomingMessage): TraceContext | null {
	return traceOf(traceparent?.toString(), tracestate?.toString());
}

/** https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection */
function shakeHands(req: IncomingMessage, res: ServerResponse): void {
	const origin = req.headers["webhook-request-origin"];
	if (typeof origin === "string" && /^[\w.:*/-]{1,255}$/.test(origin)) {
		res.setHeader("webhook-allowed-origin", origin);
		res.setHeader("webhook-allowed-rate", ALLOWED_RATE);
	}
	res.setHeader("allow", "POST, OPTIONS");
	end(req, res, 200, {});
}

/** A request's body, whole. Rejects with Refused where it is too large, takes too long, or breaks off. */
function bodyOf(req: IncomingMessage, account: Account): Promise<Buffer> {
	const held = account.for({ giveUp: () => req.destroy() });
	const late = setTimeout(() => req.destroy(), BODY_MS).unref();
	const parts: Buffer[] = [];
	let bytes = 0;
	const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
	req.on("data", (part: Buffer) => {
		bytes += part.length;
		if (bytes > MOST_BODY) {
			reject(tooLarge());
			return;
		}
		held.hold(part.length);
		parts.push(part);
		if (parts.length === MOST_PARTS) parts.splice(0, MOST_PARTS, Buffer.concat(parts));
	});
	req.on("end", () => resolve(Buffer.concat(parts)));
	req.on("close", () => reject(new Refused(400, "the body broke off")));
	req.on("error", () => undefined); // Of which its close tells.
	return promise.finally(() => {
		clearTimeout(late);
		held.close();
		req.removeAllListeners("data");
	});
}

function toldOf(error: unknown): Refused | null {
	if (error instanceof Refused) return error;
	if (error instanceof Malformed) return new Refused(error.status, error.message);
	// The data process is not there, or its disk is full: whoever sends it tries again.
	const { status } = refusalIn(error as Error) ?? { status: 0 };
	return status === 0 ? null : new Refused(status === 413 ? 507 : 503, "the event could not be kept", 10);
}

function end(req: IncomingMessage, res: ServerResponse, status: number, said: object): void {
	if (res.destroyed || req.socket.destroyed) return;
	const text = JSON.stringify(said);
	if (!req.complete) {
		// The rest of it is not wanted.
		res.setHeader("connection", "close");
		linger(req.socket);
		req.resume();
	}
	res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
	res.end(text);
}
