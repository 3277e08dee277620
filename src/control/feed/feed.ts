import { createServer, type Server, type Socket } from "node:net";
import { Lines } from "../../feed/lines.ts";
import { covers, type Scope, type SeenRequest, type ToControl, type ToEdge } from "../../feed/messages.ts";
import { type FunctionId, keyOf, type TenantName, tenantOfKey } from "../../names.ts";
import type { InvocationRecord, LogLine, SeenEvent } from "../../observe/record.ts";
import type { Count, Milliseconds } from "../../units.ts";
import { ControlError } from "../control-error.ts";
import type { AskedEdge } from "../observe/profiles.ts";
import type { Sequence, Store } from "../store/store.ts";
import type { DesiredState } from "./desired-state.ts";
import { closeWithin, listenAt } from "./listening.ts";

/** An upload's answer waits so long for edges to serve it. */
const SERVING_MS: Milliseconds = 15_000;

/** So many may look at what one tenant's functions do. */
export const MOST_WATCHERS = 20;

/** Whoever wants to see what functions do, as they do it. */
export interface Watcher {
	readonly scope: Scope;
	/** Whether it wants to see what requests came with, too: of one function alone. */
	readonly origins: boolean;
	onRecord(record: InvocationRecord, request: SeenRequest | null, event: SeenEvent | null): void;
	onLine(line: LogLine): void;
	/** So many invocations were not told, since they were too many. */
	onLeftOut(count: Count): void;
}

/** What the feed is made of. */
export interface FeedParts {
	store: Store;
	state: DesiredState;
	/** Has the artifact of a version on disk again. */
	remake: (id: FunctionId, version: string) => Promise<void>;
	log: (level: "info" | "warn" | "error", message: string) => void;
	/** An edge has told what functions have done, and how it is. */
	onMeasured: (edge: object, said: ToControl & { kind: "measured" }) => void;
	/** An edge has told of spans. */
	onSpans: (told: ToControl & { kind: "spans" }) => void;
	/** An edge has told something of a profile. */
	onProfile: (edge: object, said: ToControl & { kind: "profilePart" | "profiled" }) => void;
	/** An edge is gone. */
	onGone: (edge: object) => void;
}

/** An edge that follows. */
interface Follower {
	lines: Lines<ToControl, ToEdge>;
	/** What it was told last; `null` before it has asked. */
	told: Sequence | null;
	/** It wants to hear of no more. */
	left: boolean;
	serving: Sequence;
	/** What was told it of requests' hostnames: functions by their keys, with the commits that they were changed by. */
	sought: Map<string, Sequence>;
	/** Resolves once all that it has asked for so far was told. */
	answered: Promise<void>;
	/** Whether it is being told something. */
	busy: boolean;
}

/** Tells edges what is desired, in the order of the commits, and hears from them what is so. */
export class Feed {
	readonly #parts: FeedParts;
	readonly #server: Server;
	readonly #followers = new Set<Follower>();
	readonly #watchers = new Set<Watcher>();
	/** Waits for edges to serve a commit. */
	readonly #waiting = new Set<() => void>();
	readonly #remaking = new Map<string, Promise<void>>();

	constructor(parts: FeedParts) {
		this.#parts = parts;
		this.#server = createServer((socket) => this.#onEdge(socket));
		parts.store.onCommit(() => {
			for (const follower of this.#followers) void this.#tell(follower);
		});
	}

	/** Listens at a path; what an earlier one has left there is removed. */
	listen(path: string): Promise<void> {
		return listenAt(this.#server, path);
	}

	#onEdge(socket: Socket): void {
		const follower: Follower = {
			lines: new Lines(socket, (value) => this.#on(follower, value)),
			told: null,
			left: false,
			serving: 0,
			sought: new Map(),
			answered: Promise.resolve(),
			busy: false,
		};
		this.#followers.add(follower);
		socket.on("error", () => undefined); // Of which its end tells.
		socket.on("close", () => {
			this.#followers.delete(follower);
			this.#parts.onGone(follower);
			this.#settle();
		});
	}

	#on(follower: Follower, said: ToControl): void {
		switch (said.kind) {
			case "follow":
				follower.told = said.since;
				this.#sendWatched(follower);
				void this.#tell(follower);
				break;
			case "leave":
				follower.left = true;
				this.#settle();
				break;
			case "measured":
				this.#parts.onMeasured(follower, said);
				break;
			case "spans":
				this.#parts.onSpans(said);
				break;
			case "seek":
				follower.answered = follower.answered.then(() => this.#tellOf(follower, said.hostname));
				break;
			case "serving":
				follower.serving = said.sequence;
				this.#settle();
				break;
			case "remake":
				void this.#remake(follower, said.function, said.version);
				break;
			case "profilePart":
			case "profiled":
				this.#parts.onProfile(follower, said);
				break;
			case "record":
				for (const watcher of this.#watchersOf(said.record)) watcher.onRecord(said.record, said.request, said.event);
				break;
			case "line":
				for (const watcher of this.#watchersOf(said.line)) watcher.onLine(said.line);
				break;
			case "leftOut":
				for (const watcher of this.#watchers) if (covers(watcher.scope, said.scope)) watcher.onLeftOut(said.count);
				break;
		}
	}

	/** What requests for a hostname need is told ahead of all that there is, as fast as that is taken. */
	async #tellOf({ lines, sought }: Follower, hostname: string): Promise<void> {
		await lines.ready();
		if (lines.closed) return;
		try {
			const functions = await this.#parts.state.at(hostname, sought);
			lines.send({
				kind: "desired",
				sequence: null,
				whole: false,
				functions,
				removed: [],
				sources: [],
				removedSources: [],
			});
		} catch (error) {
			this.#parts.log("error", `an edge could not be told of ${hostname}: ${String((error as Error).stack)}`);
		}
		lines.send({ kind: "sought", hostname });
	}

	/** One thing after the other: what came meanwhile is told together. */
	async #tell(follower: Follower): Promise<void> {
		if (follower.busy || follower.told === null || follower.left) return;
		follower.busy = true;
		try {
			// An edge that has heard of more than there is follows a database that was restored since.
			while (follower.told === 0 || follower.told !== this.#parts.store.sequence) {
				for await (const part of this.#parts.state.since(follower.told)) {
					if (follower.lines.closed || follower.left) return;
					follower.lines.send(part);
					await follower.lines.ready();
					follower.told = part.sequence ?? follower.told;
				}
				if (follower.told === 0) break;
			}
		} catch (error) {
			this.#parts.log("error", `an edge could not be told what to serve: ${String((error as Error).stack)}`);
			follower.lines.close();
		} finally {
			follower.busy = false;
		}
	}

	async #remake(follower: Follower, id: FunctionId, version: string): Promise<void> {
		const key = `${keyOf(id)}/${version}`;
		const running = this.#remaking.get(key) ?? this.#parts.remake(id, version);
		this.#remaking.set(key, running);
		let problem: string | null = null;
		try {
			await running;
		} catch (error) {
			problem = (error as Error).message;
		}
		this.#remaking.delete(key);
		follower.lines.send({ kind: "remade", version, problem });
	}

	/**
	 * Resolves once each edge that follows serves what was committed; `false` where one takes too long. Where none
	 * follows one is waited for: either process may just have been started again.
	 */
	async served(sequence: Sequence): Promise<boolean> {
		const isServed = () => {
			const following = [...this.#followers].filter(({ told, left }) => told !== null && !left);
			return following.length > 0 && following.every(({ serving }) => serving >= sequence);
		};
		if (isServed()) return true;
		return new Promise<boolean>((resolve) => {
			const end = (served: boolean) => {
				clearTimeout(timer);
				this.#waiting.delete(look);
				resolve(served);
			};
			const look = () => {
				if (isServed()) end(true);
			};
			const timer = setTimeout(() => end(false), SERVING_MS);
			this.#waiting.add(look);
		});
	}

	#settle(): void {
		for (const look of [...this.#waiting]) look();
	}

	/** Has edges look at a queue by whose name there are messages, or invocations. */
	queued(tenant: TenantName, queue: string): void {
		for (const { lines } of this.#followers) lines.send({ kind: "queued", tenant, queue });
	}

	/** The edge that has begun to follow last, which goes on the longest. */
	newest(): AskedEdge | null {
		const follower = [...this.#followers].findLast(({ told, left }) => told !== null && !left);
		return follower === undefined ? null : { edge: follower, send: (said) => follower.lines.send(said) };
	}

	/** How many edges follow. */
	get edges(): number {
		return [...this.#followers].filter(({ left }) => !left).length;
	}

	/** Whether one more may watch a tenant's functions, or all: each line is handed to each of them. */
	hasRoom(scope: Scope): boolean {
		const tenant = tenantOfKey(scope);
		return [...this.#watchers].filter((one) => tenantOfKey(one.scope) === tenant).length < MOST_WATCHERS;
	}

	/** Throws ControlError `too_many_tails` where there is no room. */
	refuseIfFull(scope: Scope): void {
		if (this.hasRoom(scope)) return;
		throw new ControlError("too_many_tails", `a tenant may have ${MOST_WATCHERS} tails at a time`);
	}

	/** Shows a watcher what is done in its scope, until the function that it returns is called. */
	watch(watcher: Watcher): () => void {
		this.#watchers.add(watcher);
		for (const follower of this.#followers) this.#sendWatched(follower);
		return () => {
			this.#watchers.delete(watcher);
			for (const follower of this.#followers) this.#sendWatched(follower);
		};
	}

	#sendWatched({ lines }: Follower): void {
		const scopesOf = (watchers: Watcher[]) => [...new Set(watchers.map(({ scope }) => scope))];
		const all = [...this.#watchers];
		lines.send({ kind: "watch", scopes: scopesOf(all), origins: scopesOf(all.filter(({ origins }) => origins)) });
	}

	#watchersOf({ tenant, function: name }: { tenant: string; function: string }): Watcher[] {
		const key = keyOf({ tenant, name });
		return [...this.#watchers].filter(({ scope }) => covers(scope, key));
	}

	/** Takes no more edges, and resolves once those that are there have gone, or after so long. */
	close(ms: Milliseconds): Promise<void> {
		return closeWithin(this.#server, ms, () => {
			for (const { lines } of this.#followers) lines.close();
		});
	}
}
