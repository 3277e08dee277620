import type { Calls } from "../bindings/calls.ts";
import { Kind } from "../link/messages.ts";
import type { Outgoing } from "../link/outgoing.ts";
import type {
	AttemptFailure,
	AttemptId,
	AttemptReport,
	SandboxCommands,
	SandboxEvents,
	SandboxStats,
	TenantNumber,
	VersionNumber,
} from "../link/protocol.ts";
import type { Milliseconds } from "../units.ts";
import { Attempt, type AttemptListener } from "./attempt.ts";
import { Preload, type PreloadEnd } from "./preload.ts";
import type { RunnableVersion } from "./runnable-version.ts";

/** A version whose image is in a sandbox. */
interface Sent {
	version: RunnableVersion;
	/** How many requests it has had lately; of those before that half, and so on. */
	recent: number;
	/** Its isolate is being started ahead of requests. */
	starting: boolean;
	/** Its image is being fetched, to be sent. */
	coming: boolean;
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
	latest: SandboxStats = NO_STATS;
	/** Set right after construction, by whoever knows how the sandbox is reached. */
	commands!: SandboxCommands;

	/** Makes an attempt that runs here; it begins with its `start`. */
	attempt(version: RunnableVersion, listener: AttemptListener, calls: Calls): Attempt {
		this.#send(version).recent++;
		const attempt = new Attempt(this.#nextId(), version, this.commands, listener, calls);
		this.#put(attempt);
		return attempt;
	}

	/** Has an isolate of a version started ahead of any request for it. Resolves when that is over, well or not. */
	preload(version: RunnableVersion): Promise<PreloadEnd> {
		const sent = this.#send(version);
		sent.starting = true;
		const preload = new Preload(this.#nextId(), version);
		this.#put(preload);
		this.commands.preload(preload.id, version.number);
		return preload.ended.finally(() => {
			sent.starting = false;
		});
	}

	/** Sees to it that the sandbox has a version's image, or will have it. */
	#send(version: RunnableVersion): Sent {
		let sent = this.#sent.get(version.number);
		if (sent === undefined) {
			sent = { version, recent: 0, starting: false, coming: false };
			this.#sent.set(version.number, sent);
			this.commands.expect(version.number);
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
	#take(version: VersionNumber, id: AttemptId): Attempt | Preload | undefined {
		const attempt = this.#attempts[id];
		if (attempt?.version !== version) return undefined;
		this.#attempts[id] = undefined;
		this.#free.push(id);
		// One that was in flight when it was withdrawn has had it sent here once more.
		if (this.#sent.get(version)?.version.withdrawn) this.unload(version);
		if (this.load === 0) this.onLoad(false);
		return attempt;
	}

	/** A sandbox is given what it has to run, and nothing that it only asks for. */
	want(version: VersionNumber): void {
		this.onWant();
		const sent = this.#sent.get(version);
		if (sent === undefined) {
			this.#withoutImage(version, new Error("the version is not served here"));
			return;
		}
		if (sent.coming) return;
		sent.coming = true;
		sent.version.image().then(
			(image) => {
				sent.coming = false;
				this.commands.load(version, image);
			},
			(error: Error) => this.#withoutImage(version, error),
		);
	}

	/** A version will get no more requests. */
	unload(version: VersionNumber): void {
		this.#sent.delete(version);
		this.commands.unload(version);
	}

	/** A version whose artifact cannot be had cannot be started. */
	#withoutImage(version: VersionNumber, error: Error): void {
		this.unload(version);
		const failure: AttemptFailure = { code: "startup_failed", message: error.message, stack: "" };
		for (const attempt of this.#attempts.slice()) {
			if (attempt?.version === version)
				this.failed(version, attempt.id, failure, {
					cpuUs: 0,
					memoryBytes: 0,
					light: true,
					cold: false,
					startUs: 0,
				});
		}
	}

	message(version: VersionNumber, id: AttemptId, message: Outgoing): void {
		const attempt = this.#attempts[id];
		// A sandbox is not trusted to keep functions apart in what it says: an isolate speaks for its own version's
		// requests.
		if (attempt !== undefined && attempt.version === version) attempt.message(message);
		else if (message.kind === Kind.log && (id === 0 || attempt === undefined)) this.onStrayLine(version, message.text);
	}

	/** What an isolate says outside of a request: lines of its log. */
	onStrayLine: (version: VersionNumber, text: string) => void = () => undefined;

	done(version: VersionNumber, id: AttemptId, report: AttemptReport): void {
		this.#take(version, id)?.done(report);
	}

	failed(version: VersionNumber, id: AttemptId, failure: AttemptFailure, report: AttemptReport): void {
		this.#take(version, id)?.failed(failure, report);
	}

	flush(): void {} // Direct calls need none; over the link the other side flushes.

	clogged(): boolean {
		return false; // Nor does anything wait.
	}

	stats(stats: SandboxStats): void {
		this.latest = stats;
	}

	/** How many attempts it holds. */
	get load(): number {
		return this.#attempts.length - 1 - this.#free.length;
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
	serves(version: VersionNumber): boolean {
		return this.#sent.get(version)?.starting === false;
	}

	/** Whether a version was sent here. */
	has(version: VersionNumber): boolean {
		return this.#sent.has(version);
	}

	/** Drops the versions that were never asked for here. */
	dropUnasked(): void {
		for (const { version, recent } of this.#sent.values()) if (recent === 0) this.unload(version.number);
	}

	/** Has every attempt that is not this tenant's run elsewhere, as far as they may. */
	evacuate(except: TenantNumber): void {
		for (const attempt of this.#attempts.slice())
			if (attempt !== undefined && attempt.tenantNumber !== except) attempt.move();
	}

	/** Whose function an attempt runs. */
	tenantOf(id: AttemptId): TenantNumber {
		return this.#attempts[id]?.tenantNumber ?? 0;
	}

	/** How long a turn of an attempt, or the start of its isolate, may take at most. */
	longestTurnMs(id: AttemptId, starting: boolean): Milliseconds {
		const bounds = this.#attempts[id]?.bounds;
		return bounds === undefined ? 0 : starting ? bounds.startupCpuMs : bounds.cpuMs;
	}

	/** Told when the sandbox asks for an image: one that reads none of them could have any number of them sent. */
	onWant: () => void = () => undefined;

	/** Told when the first attempt comes and when the last has gone. */
	onLoad: (loaded: boolean) => void = () => undefined;

	/** Told of a version that is to blame for the sandbox's end and has no attempt there. */
	onCulprit: (version: VersionNumber) => void = () => undefined;

	/**
	 * The attempt that is to blame for a frame that no honest sandbox sends: one of the version that it names, or
	 * else `running`.
	 */
	culprit(version: VersionNumber, id: AttemptId, running: AttemptId): AttemptId {
		if (!this.#sent.has(version)) return running;
		if (this.#attempts[id]?.version === version) return id;
		const other = this.#attempts.find((attempt) => attempt?.version === version);
		if (other === undefined) this.onCulprit(version);
		return other?.id ?? 0;
	}

	/**
	 * The sandbox is gone, and with it all that it held. `culprit` is the attempt whose turn ran, or that is to
	 * blame for another reason.
	 */
	lost(culprit: AttemptId): void {
		this.#sent.clear();
		const attempts = this.#attempts.splice(0);
		for (const attempt of attempts) attempt?.lost(attempt.id === culprit);
	}
}
