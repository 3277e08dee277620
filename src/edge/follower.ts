import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Desired } from "../deployments/desired.ts";
import { Lines } from "../feed/lines.ts";
import type { EdgeStats, ToControl, ToEdge } from "../feed/messages.ts";
import { type FunctionId, keyOf } from "../names.ts";
import type { MachineState } from "../observe/runtime-stats.ts";
import type { Tally } from "../observe/tally.ts";
import type { Runtime } from "../runtime.ts";
import { sourceKey } from "../sources/sources.ts";
import type { Milliseconds } from "../units.ts";
import { ControlSocket } from "./control-socket.ts";
import { ProfileRequests } from "./profile-requests.ts";
import { Watched } from "./watched.ts";

/** An edge that is there is to have come back before another one, started after control, says that all is served. */
const LONGEST_MS: Milliseconds = 250;
/** An artifact is waited for so long: a build takes a second, and control may have to start first. */
const REMAKE_MS: Milliseconds = 60_000;
/** What is sought is waited for so long, and so much of it at a time; whatever is beyond that waits for all there is. */
const SEEK_MS: Milliseconds = 10_000;
const MOST_SOUGHT = 1000;
/** What a watcher does not take is dropped past this: a tail is never in anybody's way. */
const MOST_WAITING = 4 * 2 ** 20;

/** A version whose artifact control has been asked for. */
interface Remaking {
	function: FunctionId;
	done: Promise<void>;
	resolve: () => void;
	reject: (error: Error) => void;
}

/** What the edge hears of control, and tells it. Where control is gone the edge serves what it heard last. */
export class Follower {
	readonly #path: string;
	readonly #runtime: Runtime;
	readonly #desired: Desired;
	readonly #watched: Watched;
	#control: ControlSocket | null = null;
	#lines: Lines<ToEdge, ToControl> | null = null;
	#sequence = 0;
	/** The keys of the functions that are named by the parts of all that there is, as long as these come. */
	readonly #named = new Set<string>();
	#work: Promise<void> = Promise.resolve();
	readonly #connected = Promise.withResolvers<void>();
	#following = false;
	readonly #all = Promise.withResolvers<void>();
	#complete = false;
	/** Hostnames that control was asked about. */
	readonly #sought = new Map<string, PromiseWithResolvers<void>>();
	readonly #remaking = new Map<string, Remaking>();
	/** The keys of the sources likewise. */
	readonly #namedSources = new Set<string>();
	readonly #profiles: ProfileRequests;

	/** `path` is where control listens. */
	constructor(path: string, runtime: Runtime) {
		this.#path = path;
		this.#runtime = runtime;
		this.#profiles = new ProfileRequests(runtime);
		this.#desired = runtime.desired;
		this.#desired.remake = (id, version) => this.#remake(id, version);
		const follower = this;
		this.#watched = new Watched(runtime, {
			get takes() {
				return follower.takes;
			},
			send: (said) => this.#lines?.send(said),
		});
	}

	/** Connects to control. Resolves once it can be asked for what is sought. */
	connect(): Promise<void> {
		this.#control = new ControlSocket({
			path: this.#path,
			longestMs: LONGEST_MS,
			onConnect: (socket) => this.#onConnect(socket),
			onClose: () => {
				this.#lines = null;
				this.#watched.clear();
				this.#profiles.endAll();
			},
		});
		return this.#connected.promise;
	}

	/** Hears of all that there is, bit by bit, and then of what changes. */
	follow(): void {
		this.#following = true;
		this.#lines?.send({ kind: "follow", since: this.#sequence });
	}

	/** Whether all that there is has been heard of. */
	get complete(): boolean {
		return this.#complete;
	}

	/** Resolves once all that there is has been heard of, or whoever waits for it has waited long enough. */
	heardAll(): Promise<void> {
		return this.#complete ? Promise.resolve() : Promise.race([this.#all.promise, sleep(SEEK_MS)]);
	}

	/** Resolves once what a hostname is for is served, if anything is. */
	seek(hostname: string): Promise<void> {
		const asked = this.#sought.get(hostname);
		if (asked !== undefined) return asked.promise;
		if (this.#sought.size === MOST_SOUGHT) return this.heardAll();
		const sought = Promise.withResolvers<void>();
		this.#sought.set(hostname, sought);
		// Control may be gone for longer than anybody waits.
		const timer = setTimeout(sought.resolve, SEEK_MS);
		this.#lines?.send({ kind: "seek", hostname });
		return sought.promise.finally(() => {
			clearTimeout(timer);
			this.#sought.delete(hostname);
		});
	}

	#onConnect(socket: Socket): void {
		this.#control?.isOfUse();
		const lines = new Lines<ToEdge, ToControl>(socket, (said) => this.#on(said));
		// Parts that came over the connection before are no beginning of those to come.
		this.#work = this.#work.then(() => {
			this.#named.clear();
			this.#namedSources.clear();
		});
		this.#lines = lines;
		if (this.#following) this.follow();
		for (const hostname of this.#sought.keys()) lines.send({ kind: "seek", hostname });
		for (const [version, { function: id }] of this.#remaking) lines.send({ kind: "remake", function: id, version });
		this.#connected.resolve();
	}

	#on(said: ToEdge): void {
		switch (said.kind) {
			case "desired":
				this.#work = this.#work.then(() => this.#apply(said));
				break;
			case "sought":
				void this.#work.then(() => this.#sought.get(said.hostname)?.resolve());
				break;
			case "remade": {
				const waiting = this.#remaking.get(said.version);
				this.#remaking.delete(said.version);
				// What has come of it is told first, so that it is there when it is looked for.
				if (said.problem === null) void this.#work.then(() => waiting?.resolve());
				else waiting?.reject(new Error(said.problem));
				break;
			}
			case "queued":
				this.#runtime.queued(said.tenant, said.queue);
				break;
			case "profile":
				if (this.#lines !== null) void this.#profiles.take(said, this.#lines);
				break;
			case "unprofile":
				this.#profiles.end(said.number);
				break;
			case "watch":
				this.#watched.set(said);
				break;
		}
	}

	async #apply(said: ToEdge & { kind: "desired" }): Promise<void> {
		const { sequence, whole, functions, removed, sources, removedSources } = said;
		this.#runtime.sources.apply(sources, removedSources);
		if (whole) for (const one of sources) this.#namedSources.add(sourceKey(one));
		await this.#desired.apply(functions, removed);
		if (whole) for (const one of functions) this.#named.add(keyOf(one));
		if (sequence === null) return;
		if (whole) {
			this.#runtime.sources.retain(this.#namedSources);
			await this.#desired.retain(this.#named);
		}
		this.#named.clear();
		this.#namedSources.clear();
		this.#sequence = sequence;
		this.#lines?.send({ kind: "serving", sequence });
		this.#complete = true;
		this.#leaveOff();
	}

	/** Has control make an artifact again, once for all that wait for it. */
	async #remake(id: FunctionId, version: string): Promise<void> {
		const running = this.#remaking.get(version);
		if (running !== undefined) return running.done;
		const { promise: done, resolve, reject } = Promise.withResolvers<void>();
		this.#remaking.set(version, { function: id, done, resolve, reject });
		const timer = setTimeout(() => {
			this.#remaking.delete(version);
			reject(new Error("control did not make the artifact of the version again"));
		}, REMAKE_MS);
		this.#lines?.send({ kind: "remake", function: id, version });
		try {
			await done;
		} finally {
			clearTimeout(timer);
		}
	}

	/** Whether control is there, and takes what is said. */
	get takes(): boolean {
		return this.#lines !== null && this.#lines.waiting <= MOST_WAITING;
	}

	/** Tells what functions have done. */
	measured(tallies: Tally[], stats: EdgeStats, machine: MachineState): void {
		this.#lines?.send({ kind: "measured", tallies, stats, machine });
	}

	/** Tells of spans. */
	spans(told: Omit<ToControl & { kind: "spans" }, "kind">): void {
		this.#lines?.send({ kind: "spans", ...told });
	}

	/** Nobody waits for anything that is sought any more. */
	#leaveOff(): void {
		this.#all.resolve();
		for (const { resolve } of this.#sought.values()) resolve();
	}

	/** Hears of no change from now on. */
	leave(): void {
		this.#following = false;
		this.#lines?.send({ kind: "leave" });
		this.#leaveOff();
	}

	close(): void {
		this.#watched.close();
		this.#control?.stop().destroySoon();
	}
}
