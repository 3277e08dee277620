import { createServer, type Server, type Socket } from "node:net";
import { Lines } from "../../feed/lines.ts";
import type { Counts, Day, NamedCounters, ToMeter, ToMetering } from "../../feed/usage.ts";
import type { RefusedTenant } from "../../limits/refusals.ts";
import type { Milliseconds } from "../../units.ts";
import { closeWithin, listenAt } from "../feed/listening.ts";
import type { Told } from "./usage-store.ts";

/**
 * What an edge tells is read so often. Nobody waits for it in between, so that what an edge writes after each request wakes
 * no process, which took it a third of the time of telling; it is in the system's hands, where it outlives the edge.
 */
const READ_MS: Milliseconds = 10;

/** Counters as they were named over a connection. */
export type Counter = Readonly<Omit<Told, "counts">>;

interface Connection {
	socket: Socket;
	lines: Lines<ToMetering, ToMeter>;
	/** At the end of this round of the event loop all that has come will have been read. */
	isBeingRead: boolean;
	/** Something has come since that was so last. */
	hasCome: boolean;
	/** Nothing is read for a while. */
	rests: boolean;
	/** What is to be told once all that has come was read. */
	owed: Map<ToMeter["kind"], ToMeter>;
	edge: string;
	counters: Map<number, Counter>;
	/** How many messages with values have come, and how many of them are being folded. */
	messages: number;
	taken: number;
}

export interface EdgeConnectionsParts {
	/** Counters that have changed, with what they count by now. */
	onTold: (counters: [Counter, Counts][]) => void;
	/** An edge will tell no more of earlier days, but of a later epoch. */
	onForgotten: (edge: string, epoch: number, before: Day) => void;
}

/** Where edges tell what is used. What an edge has sent before it died is read to its end. */
export class EdgeConnections {
	readonly #parts: EdgeConnectionsParts;
	readonly #server: Server;
	readonly #connections = new Map<Socket, Connection>();
	#refused: RefusedTenant[] = [];

	constructor(parts: EdgeConnectionsParts) {
		this.#parts = parts;
		this.#server = createServer((socket) => this.#onEdge(socket));
	}

	/** Listens at a path; what an earlier one has left there is removed. */
	listen(path: string): Promise<void> {
		return listenAt(this.#server, path);
	}

	#onEdge(socket: Socket): void {
		const connection: Connection = {
			socket,
			lines: new Lines(socket, (said) => this.#on(connection, said)),
			...{ isBeingRead: false, hasCome: false, rests: false, owed: new Map() },
			...{ edge: "", counters: new Map(), messages: 0, taken: 0 },
		};
		this.#connections.set(socket, connection);
		socket.on("data", () => {
			connection.hasCome = true;
			this.#read(connection);
		});
		socket.on("error", () => undefined); // Of which its end tells.
		socket.on("close", () => this.#connections.delete(socket));
		this.#owe(connection, { kind: "refused", tenants: this.#refused });
	}

	/**
	 * Reads all that has come, then tells what is owed, and rests. Not the other way round: a word to an edge that has died
	 * ends the connection, and with it what that edge has said.
	 */
	#read(connection: Connection): void {
		const { socket, lines, owed } = connection;
		if (connection.isBeingRead || connection.rests) return;
		connection.isBeingRead = true;
		setImmediate(() => {
			connection.isBeingRead = false;
			for (const one of owed.values()) lines.send(one);
			owed.clear();
			if (!connection.hasCome) return;
			socket.pause();
			connection.hasCome = false;
			connection.rests = true;
			setTimeout(() => {
				connection.rests = false;
				socket.resume();
				this.#read(connection);
			}, READ_MS);
		});
	}

	#owe(connection: Connection, one: ToMeter): void {
		connection.owed.set(one.kind, one);
		this.#read(connection);
	}

	#on(connection: Connection, said: ToMetering): void {
		switch (said.kind) {
			case "edge":
				connection.edge = said.id;
				break;
			case "used": {
				connection.messages++;
				for (const one of said.named) connection.counters.set(one[0], named(connection.edge, one));
				const told: [Counter, Counts][] = [];
				for (const [index, ...counts] of said.values) {
					const counter = connection.counters.get(index);
					if (counter !== undefined) told.push([counter, counts]);
				}
				this.#parts.onTold(told);
				break;
			}
			case "forgotten":
				for (const [index, { day, epoch }] of connection.counters)
					if (day < said.before && epoch <= said.epoch) connection.counters.delete(index);
				this.#parts.onForgotten(connection.edge, said.epoch, said.before);
				break;
		}
	}

	/** The edges that are at work. */
	get edges(): Set<string> {
		return new Set([...this.#connections.values()].map(({ edge }) => edge).filter((edge) => edge !== ""));
	}

	/** All that has come so far is about to be folded. */
	take(): void {
		for (const one of this.#connections.values()) one.taken = one.messages;
	}

	/** What was taken is on the disk. */
	kept(): void {
		for (const one of this.#connections.values())
			if (one.taken > 0) this.#owe(one, { kind: "kept", messages: one.taken });
	}

	/** Tells all edges whose functions are not to run, from now on. */
	refuse(tenants: RefusedTenant[]): void {
		this.#refused = tenants;
		for (const one of this.#connections.values()) this.#owe(one, { kind: "refused", tenants });
	}

	/** Takes no more edges, and resolves once those that are there have gone, or after so long. */
	close(ms: Milliseconds): Promise<void> {
		return closeWithin(this.#server, ms, () => {
			for (const socket of this.#connections.keys()) socket.destroy();
		});
	}
}

function named(edge: string, [, epoch, tenant, name, day]: NamedCounters): Counter {
	return { edge, epoch, tenant, function: name, day };
}
