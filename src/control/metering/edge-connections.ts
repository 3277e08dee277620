import { createServer, type Server, type Socket } from "node:net";
import { Lines } from "../../feed/lines.ts";
import type { Counts, Day, NamedCounters, ToMeter, ToMetering } from "../../feed/usage.ts";
import type { RefusedTenant } from "../../limits/refusals.ts";
import type { Milliseconds } from "../../units.ts";
import { closeWithin, listenAt } from "../feed/listening.ts";
import type { Told } from "./usage-store.ts";

/** Counters as they were named over a connection. */
export type Counter = Readonly<Omit<Told, "counts">>;

interface Connection {
	lines: Lines<ToMetering, ToMeter>;
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
			lines: new Lines(socket, (said) => this.#on(connection, said)),
			...{ edge: "", counters: new Map(), messages: 0, taken: 0 },
		};
		this.#connections.set(socket, connection);
		socket.on("error", () => undefined); // Of which its end tells.
		socket.on("close", () => this.#connections.delete(socket));
		connection.lines.send({ kind: "refused", tenants: this.#refused });
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
		for (const { lines, taken } of this.#connections.values())
			if (taken > 0) lines.send({ kind: "kept", messages: taken });
	}

	/** Tells all edges whose functions are not to run, from now on. */
	refuse(tenants: RefusedTenant[]): void {
		this.#refused = tenants;
		for (const { lines } of this.#connections.values()) lines.send({ kind: "refused", tenants });
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
