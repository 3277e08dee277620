import type { Effects } from "../effects/effects.ts";
import type {
	AttemptFailure,
	AttemptId,
	AttemptReport,
	Image,
	Megabytes,
	Milliseconds,
	OwnerNumber,
	SandboxCommands,
	SandboxEvents,
	SandboxStats,
	Stock,
	VersionNumber,
} from "../isolates/protocol.ts";
import { Kind } from "../prelude/messages.ts";
import { Attempt, type AttemptOwner, type TurnBounds } from "./attempt.ts";

/** Where sandboxes get the images of versions from; rejects where there is none to be had. */
export type ImageSource = (version: VersionNumber) => Promise<Image>;

/** What a sandbox needs to know of a version to run it. */
export interface RunnableVersion {
	number: VersionNumber;
	ownerNumber: OwnerNumber;
	limits: TurnBounds;
}

const NO_STATS: SandboxStats = { isolates: 0, bytes: 0, hits: 0, coldStarts: 0, evictions: 0 };

/** The edge's side of one sandbox, be it a process behind the link or inline: the attempts that run there. */
export class Sandbox implements SandboxEvents {
	readonly #images: ImageSource;
	/**
	 * The attempts that run here, at the place of their number; numbers of ended ones are used again. Not a Map: one that is
	 * filled and emptied at this rate keeps what it held alive until a major collection, since its old tables point to its
	 * new ones (a fifth of the edge's time went into copying dead requests).
	 */
	readonly #attempts: (Attempt | undefined)[] = [undefined];
	readonly #free: AttemptId[] = [];
	/** Versions whose image was sent here, with their memory limits. The sandbox may have dropped one since; it asks for it then. */
	readonly #sent = new Map<VersionNumber, Megabytes>();
	latest: SandboxStats = NO_STATS;
	/** Set right after construction, by whoever knows how the sandbox is reached. */
	commands!: SandboxCommands;

	constructor(images: ImageSource) {
		this.#images = images;
	}

	/** Makes an attempt that runs here; it begins with its `start`. */
	attempt({ number: version, ownerNumber, limits }: RunnableVersion, owner: AttemptOwner, effects: Effects): Attempt {
		if (!this.#sent.has(version)) {
			this.commands.expect(version);
			this.want(version);
		}
		const id = this.#free.pop() ?? this.#attempts.length;
		const attempt = new Attempt(id, version, ownerNumber, this.commands, owner, effects, limits);
		this.#attempts[id] = attempt;
		if (this.load === 1) this.onLoad(true);
		return attempt;
	}

	/** Takes an attempt that has ended out of the table. The link keeps order, so nothing more can come for its number. */
	#take(id: AttemptId): Attempt | undefined {
		const attempt = this.#attempts[id];
		if (attempt === undefined) return undefined;
		this.#attempts[id] = undefined;
		this.#free.push(id);
		if (this.load === 0) this.onLoad(false);
		return attempt;
	}

	want(version: VersionNumber): void {
		this.#sent.set(version, 0);
		this.#images(version).then(
			(image) => {
				if (this.#sent.has(version)) this.#sent.set(version, image.memoryMb);
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
				this.failed(attempt.id, failure, {
					cpuUs: 0,
					memoryBytes: 0,
					light: true,
					cold: false,
					startUs: 0,
				});
		}
	}

	message(
		kind: Kind,
		version: VersionNumber,
		id: AttemptId,
		op: number,
		text: string,
		data: Uint8Array | number | undefined,
	): void {
		const attempt = this.#attempts[id];
		// A sandbox is not trusted to keep functions apart in what it says: an isolate speaks for its own version's requests.
		if (attempt !== undefined && attempt.version === version) attempt.message(kind, op, text, data);
		else if (kind === Kind.log && (id === 0 || attempt === undefined)) this.onStrayLine(version, text);
	}

	/** What an isolate says outside of a request: lines of its log. */
	onStrayLine: (version: VersionNumber, text: string) => void = () => undefined;

	done(id: AttemptId, report: AttemptReport): void {
		this.#take(id)?.done(report);
	}

	failed(id: AttemptId, failure: AttemptFailure, report: AttemptReport): void {
		this.#take(id)?.failed(failure, report);
	}

	flush(): void {} // Direct calls need none; over the link the other side flushes.

	stats(stats: SandboxStats): void {
		this.latest = stats;
	}

	/** How many attempts it holds. */
	get load(): number {
		return this.#attempts.length - 1 - this.#free.length;
	}

	/** The isolates that another sandbox would need to take over from this one. */
	get stock(): Stock {
		const counts = new Map<Megabytes, number>();
		for (const memoryMb of this.#sent.values()) if (memoryMb > 0) counts.set(memoryMb, (counts.get(memoryMb) ?? 0) + 1);
		return [...counts];
	}

	/** Has every attempt that is not this owner's run elsewhere, as far as they may. */
	evacuate(except: OwnerNumber): void {
		for (const attempt of this.#attempts.slice())
			if (attempt !== undefined && attempt.ownerNumber !== except) attempt.move();
	}

	/** Whose function an attempt runs. */
	ownerOf(id: AttemptId): OwnerNumber {
		return this.#attempts[id]?.ownerNumber ?? 0;
	}

	/** How long a turn of an attempt, or the start of its isolate, may take at most. */
	longestTurnMs(id: AttemptId, starting: boolean): Milliseconds {
		const bounds = this.#attempts[id]?.bounds;
		return bounds === undefined ? 0 : starting ? bounds.startupCpuMs : bounds.cpuMs;
	}

	/** Told when the first attempt comes and when the last has gone. */
	onLoad: (loaded: boolean) => void = () => undefined;

	/** The sandbox is gone, and with it all that it held. `running` is the attempt whose turn ran, if one did. */
	lost(running: AttemptId): void {
		const attempts = this.#attempts.splice(0);
		for (const attempt of attempts) attempt?.lost(attempt.id === running);
	}
}
