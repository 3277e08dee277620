import type { Calls } from "../bindings/calls.ts";
import { FrameError } from "../link/frame.ts";
import { Kind } from "../link/messages.ts";
import type { Outgoing } from "../link/outgoing.ts";
import {
	type AttemptFailure,
	type AttemptId,
	type AttemptReport,
	PRELOAD_START_MS,
	type Profiled,
	type SandboxCommands,
	type SandboxEvents,
	type SandboxStats,
	type TenantNumber,
	type VersionNumber,
} from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";
import { Attempt, type AttemptListener, type Queue } from "./attempt.ts";
import { Preload, type PreloadEnd } from "./preload.ts";
import type { RunnableVersion } from "./runnable-version.ts";

/** A version whose image is in a sandbox, and how many attempts at it wait there. */
interface Sent extends Queue {
	version: RunnableVersion;
	/** How many requests it has had lately; of those before that half, and so on. */
	recent: number;
	/** Its isolate is being started ahead of requests. */
	starting: boolean;
	/** Its image is being fetched, to be sent. */
	coming: boolean;
	/** Its isolate makes room for no others. */
	kept: boolean;
}

const NO_STATS: SandboxStats = { isolates: 0, bytes: 0, hits: 0, coldStarts: 0, evictions: 0 };

/** The edge's side of one sandbox, be it a process behind the link or inline: the attempts that run there. */
export class Sandbox implements SandboxEvents {
	/**
	 * The attempts that run here, at the place of their number; numbers of ended ones are used again. Not a Map: one
	 * that is filled and emptied at this rate keeps what it held alive until a major collection, since its old tables
	 * point to its new ones (a fifth of the edge's time went into copying dead requests).
	 */
	readonly #attempts: (Attempt | Preload | undefined)[] = [undefined];
	readonly #free: AttemptId[] = [];
	/** Versions whose image was sent here. The sandbox may have dropped one since; it asks for it then. */
	readonly #sent = new Map<VersionNumber, Sent>();
	/** Versions whose home is elsewhere now, and that have attempts here still. */
	readonly #leaving = new Set<VersionNumber>();
	latest: SandboxStats = NO_STATS;
	/** Set right after construction, by whoever knows how the sandbox is reached. */
	commands!: SandboxCommands;

	/** Makes an attempt that runs here; it begins with its `start`. */
	attempt(listener: AttemptListener, calls: Calls): Attempt {
		const { version } = listener;
		const sent = this.#send(version);
		sent.recent++;
		if (this.#leaving.size > 0) this.#leaving.delete(version.number);
		const attempt = new Attempt(this.#nextId(), this.commands, listener, calls);
		attempt.queue = sent;
		this.#put(attempt);
		if (++sent.waiting > version.demand.calm) this.onQueue(version);
		return attempt;
	}

	/**
	 * Has an isolate of a version started ahead of any request for it, unless its top level runs for longer. Resolves
	 * when that is over, well or not.
	 */
	preload(version: RunnableVersion, mostMs = PRELOAD_START_MS): Promise<PreloadEnd> {
		const isNew = !this.#sent.has(version.number);
		const sent = this.#send(version);
		if (isNew) sent.starting = true;
		const preload = new Preload(this.#nextId(), version, mostMs);
		this.#put(preload);
		this.commands.preload(preload.id, version.number, preload.bounds.startupCpuMs);
		return preload.ended.finally(() => {
			if (isNew) sent.starting = false;
		});
	}

	/** Sees to it that the sandbox has a version's image, or will have it. */
	#send(version: RunnableVersion): Sent {
		let sent = this.#sent.get(version.number);
		if (sent === undefined) {
			sent = { version, recent: 0, starting: false, coming: false, kept: false, waiting: 0 };
			this.#sent.set(version.number, sent);
			this.commands.expect(version.number);
			if (version.provisioned > 0) this.keep(version.number, true);
			this.want(version.number);
		}
		return sent;
	}

	#nextId(): AttemptId {
		return this.#free.pop() ?? this.#attempts.length;
	}

	#put(attempt: Attempt | Preload): void {
		this.#attempts[attempt.id] = attempt;
		if (this.load === 1) this.onLoad(true);
	}

	/**
	 * Takes an attempt that has ended out of the table. The link keeps order, so nothing more can come for its
	 * number.
	 */
	#take(number: VersionNumber, id: AttemptId): Attempt | Preload | undefined {
		const attempt = this.#attempts[id];
		if (attempt === undefined || attempt.version.number !== number) return undefined;
		this.#attempts[id] = undefined;
		this.#free.push(id);
		// One that was in flight when it was withdrawn has had it sent here once more.
		if (attempt.version.withdrawn || (this.#leaving.size > 0 && this.#leaving.has(number))) this.leave(number);
		if (this.load === 0) this.onLoad(false);
		return attempt;
	}

	/** A sandbox is given what it has to run, and nothing that it only asks for. */
	want(number: VersionNumber): void {
		this.onWant();
		const sent = this.#sent.get(number);
		if (sent === undefined) {
			this.#withoutImage(number, new Error("the version is not served here"));
			return;
		}
		if (sent.coming) return;
		sent.coming = true;
		sent.version.image().then(
			(image) => {
				sent.coming = false;
				this.commands.load(number, image);
			},
			(error: Error) => this.#withoutImage(number, error),
		);
	}

	/**
	 * A version is served elsewhere from now on, or nowhere: what it has here goes, once its last attempt is over. One
	 * that has lost its isolate by then has the image sent once more.
	 */
	leave(number: VersionNumber): void {
		if (!this.#attempts.some((attempt) => attempt?.version.number === number)) {
			if (this.#sent.has(number)) this.#unload(number);
			return;
		}
		this.#leaving.add(number);
		this.keep(number, false);
	}

	/**
	 * Says whether a version's isolate here is to make room for no others, if there is to be one. One that was never
	 * asked for, and need not be kept, goes.
	 */
	keep(number: VersionNumber, kept: boolean): void {
		const sent = this.#sent.get(number);
		if (sent === undefined || sent.kept === kept) return;
		sent.kept = kept;
		if (kept || sent.recent > 0) this.commands.keep(number, kept);
		else this.leave(number);
	}

	#unload(number: VersionNumber): void {
		this.#leaving.delete(number);
		this.#sent.delete(number);
		this.commands.unload(number);
	}

	/** A version whose artifact cannot be had cannot be started. */
	#withoutImage(number: VersionNumber, error: Error): void {
		this.#unload(number);
		const failure: AttemptFailure = { code: "startup_failed", message: error.message, stack: "" };
		for (const attempt of this.#attempts.slice()) {
			if (attempt?.version.number === number)
				this.failed(number, attempt.id, failure, {
					cpuUs: 0,
					memoryBytes: 0,
					light: true,
					cold: false,
					startUs: 0,
				});
		}
	}

	message(number: VersionNumber, id: AttemptId, message: Outgoing): void {
		const attempt = this.#attempts[id];
		// A sandbox is not trusted to keep functions apart in what it says: an isolate speaks for its own version's
		// requests.
		if (attempt !== undefined && attempt.version.number === number) attempt.message(message);
		else if (message.kind === Kind.log && (id === 0 || attempt === undefined)) this.onStrayLine(number, message.text);
	}

	/** What an isolate says outside of a request: lines of its log. */
	onStrayLine: (number: VersionNumber, text: string) => void = () => undefined;

	done(number: VersionNumber, id: AttemptId, report: AttemptReport): void {
		this.#take(number, id)?.done(report);
	}

	failed(number: VersionNumber, id: AttemptId, failure: AttemptFailure, report: AttemptReport): void {
		this.#take(number, id)?.failed(failure, report);
		if (this.#sent.get(number)?.kept) this.onKeptFailed(number);
	}

	/** Told of a version whose isolate is to be kept, and may be gone. */
	onKeptFailed: (number: VersionNumber) => void = () => undefined;

	flush(): void {} // Direct calls need none; over the link the other side flushes.

	clogged(): boolean {
		return false; // Nor does anything wait.
	}

	stats(stats: SandboxStats): void {
		this.latest = stats;
	}

	/** Told of a profile. No honest sandbox has one that nobody waits for. */
	onProfiled: (profile: Profiled) => void = () => {
		throw new FrameError("a profile that nobody waits for");
	};

	profiled(profile: Profiled): void {
		this.onProfiled(profile);
	}

	/** How many attempts it holds. */
	get load(): number {
		return this.#attempts.length - 1 - this.#free.length;
	}

	/** How many versions it serves. */
	get versions(): number {
		return this.#sent.size;
	}

	/** The versions that have had requests here lately. */
	get recent(): Sent[] {
		return [...this.#sent.values()].filter(({ recent }) => recent > 0);
	}

	/** Time goes by: what was lately counts half. */
	fade(): void {
		for (const sent of this.#sent.values()) sent.recent >>= 1;
	}

	/** Whether a version was sent here, and is not just being started ahead of requests. */
	serves(number: VersionNumber): boolean {
		return this.#sent.get(number)?.starting === false;
	}

	/** The versions of one tenant that were sent here. */
	versionsOf(tenant: TenantNumber): VersionNumber[] {
		const sent = [...this.#sent.values()].filter(({ version }) => version.tenantNumber === tenant);
		return sent.map(({ version }) => version.number);
	}

	/** Whether a version was sent here. */
	has(number: VersionNumber): boolean {
		return this.#sent.has(number);
	}

	/** How many attempts at a version wait here for their first turn, as far as is known. */
	waiting(number: VersionNumber): number {
		return this.#sent.get(number)?.waiting ?? 0;
	}

	/** Has the attempts at a version run elsewhere, as far as they may. */
	recall(number: VersionNumber): void {
		for (const attempt of this.#attempts.slice()) if (attempt?.version.number === number) attempt.move();
	}

	/** Drops the versions that were never asked for here, and need not be kept. */
	dropUnasked(): void {
		for (const { version, recent, kept } of this.#sent.values()) if (recent === 0 && !kept) this.leave(version.number);
	}

	/** Has every attempt that is not this tenant's run elsewhere, as far as they may. */
	evacuate(except: TenantNumber): void {
		for (const attempt of this.#attempts.slice())
			if (attempt !== undefined && attempt.version.tenantNumber !== except) attempt.move();
	}

	/** Whose function an attempt runs. */
	tenantOf(id: AttemptId): TenantNumber {
		return this.#attempts[id]?.version.tenantNumber ?? 0;
	}

	/** How long a turn of an attempt, or the start of its isolate, may take at most. */
	longestTurnMs(id: AttemptId, starting: boolean): Milliseconds {
		const bounds = this.#attempts[id]?.bounds;
		return bounds === undefined ? 0 : starting ? bounds.startupCpuMs : bounds.cpuMs;
	}

	/** Told when the sandbox asks for an image: one that reads none of them could have any number of them sent. */
	onWant: () => void = () => undefined;

	/** Told of a version of which more attempts wait here than its sandbox is likely to run at once. */
	onQueue: (version: RunnableVersion) => void = () => undefined;

	/** Told when the first attempt comes and when the last has gone. */
	onLoad: (loaded: boolean) => void = () => undefined;

	/** Told of a version that is to blame for the sandbox's end and has no attempt there. */
	onCulprit: (number: VersionNumber) => void = () => undefined;

	/**
	 * The attempt that is to blame for a frame that no honest sandbox sends: one of the version that it names, or
	 * else `running`.
	 */
	culprit(number: VersionNumber, id: AttemptId, running: AttemptId): AttemptId {
		if (!this.#sent.has(number)) return running;
		if (this.#attempts[id]?.version.number === number) return id;
		const other = this.#attempts.find((attempt) => attempt?.version.number === number);
		if (other === undefined) this.onCulprit(number);
		return other?.id ?? 0;
	}

	/**
	 * The sandbox is gone, and with it all that it held. `culprit` is the attempt whose turn ran, or that is to
	 * blame for another reason.
	 */
	lost(culprit: AttemptId): void {
		this.#sent.clear();
		this.#leaving.clear();
		const attempts = this.#attempts.splice(0);
		for (const attempt of attempts) attempt?.lost(attempt.id === culprit);
	}
}
