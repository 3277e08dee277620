import type { Socket } from "node:net";
import { z } from "zod";
import type { Answer, Caller, Content, EdgeBinding, OpenBinding, Prepared } from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import type { Egress } from "../fetch/edge/egress.ts";
import { Connection, type ConnectionSettings } from "./edge/connection.ts";
import { secured } from "./edge/secured.ts";
import { decodeSocketAsked, type SocketAsked } from "./schema.ts";

/** As on Workers: most of what strangers send there nobody has asked for. */
const MAIL_PORT = 25;

/** `connect()` of `cloudflare:sockets`: connections to where `fetch` may go, each a call for as long as it is open. */
class SocketsBinding implements EdgeBinding {
	readonly settings = z.undefined();
	readonly #egress: Egress;

	constructor({ egress }: EdgeServices) {
		this.#egress = egress;
	}

	open(_: unknown, { tenant }: Caller): OpenBinding {
		return new RequestSockets(this.#egress, tenant);
	}
}

export const create = (services: EdgeServices): EdgeBinding => new SocketsBinding(services);

/** The connections of one request, which end with it. */
class RequestSockets implements OpenBinding {
	readonly #egress: Egress;
	readonly #tenant: Caller["tenant"];
	/** By the numbers that the isolate gives them; `null` until they are open. */
	readonly #connections = new Map<number, Connection | null>();
	/** On which TLS is to be started, or was. */
	readonly #released = new Set<Socket>();

	constructor(egress: Egress, tenant: Caller["tenant"]) {
		this.#egress = egress;
		this.#tenant = tenant;
	}

	prepare(argument: string): Prepared | string | null {
		const asked = decodeSocketAsked(argument);
		if (asked === null) return null;
		if (asked.kind === "starttls") return this.#prepareTls(asked.socket, asked.servername);
		if (this.#connections.has(asked.socket)) return null;
		if (asked.port === MAIL_PORT) return `connections to port ${MAIL_PORT} are not allowed`;
		this.#connections.set(asked.socket, null);
		const target = `${asked.hostname}:${asked.port}`;
		return { target, operation: "connect", perform: (content, signal) => this.#connect(asked, content, signal) };
	}

	async #connect(asked: SocketAsked & { kind: "connect" }, content: Content, signal: AbortSignal): Promise<Answer> {
		const { hostname, port, halfOpen } = asked;
		const { socket, intake } = await this.#egress.connect({ hostname, port, halfOpen }, this.#tenant, signal);
		const open = asked.tls ? await secured(socket, hostname, signal) : socket;
		return this.#open(asked.socket, open, { content, signal, intake, halfOpen });
	}

	#prepareTls(number: number, servername: string): Prepared | string {
		const plain = this.#connections.get(number) ?? null;
		// From here on nobody reads or writes what would pass without it.
		const socket = plain?.release() ?? null;
		if (plain === null || socket === null) return "there is no open connection to start TLS on";
		this.#connections.set(number, null);
		this.#released.add(socket);
		const perform = async (content: Content, signal: AbortSignal): Promise<Answer> => {
			const { intake, halfOpen } = plain.settings;
			const open = await secured(socket, servername, signal);
			return this.#open(number, open, { content, signal, intake, halfOpen });
		};
		return { target: servername, operation: "starttls", perform };
	}

	close(): void {
		for (const connection of this.#connections.values()) connection?.destroy();
		for (const socket of this.#released) socket.destroy();
	}

	#open(number: number, socket: Socket, settings: ConnectionSettings): Answer {
		const connection = new Connection(socket, settings);
		this.#connections.set(number, connection);
		return { text: "", content: connection.received() };
	}
}
