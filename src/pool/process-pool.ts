import { availableParallelism } from "node:os";
import {
	LENT_TURN_MS,
	NORMAL_TURN_MS,
	PRELOAD_START_MS,
	type SandboxSettings,
	type SandboxState,
	type SandboxStats,
	type TenantNumber,
	type VersionNumber,
} from "../link/protocol.ts";
import { containment } from "../processes/confinement.ts";
import { type Containment, warning } from "../processes/containment.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { Lane } from "./lane.ts";
import type { LaneName } from "./place.ts";
import type { PoolEvents } from "./pool.ts";
import { Preloader } from "./preloader.ts";
import { Provisions } from "./provisions.ts";
import type { RunnableVersion } from "./runnable-version.ts";
import type { Sandbox } from "./sandbox.ts";
import { SandboxProcess } from "./sandbox-process.ts";
import { Scaling } from "./scaling.ts";
import { Spare } from "./spare.ts";

/** A sandbox that the heavy lane took on top of its first goes when it has had nothing to do for so long. */
const IDLE_MS: Milliseconds = 30_000;
const TEND_MS: Milliseconds = 5000;
/**
 * How many isolates a spare starts ahead at most, each of some 2.5 MB, and which share of what warm isolates may use.
 */
const MOST_PRELOADED = 64;
const PRELOADED_BYTES: Bytes = 2.5 * 2 ** 20;
const PRELOADED_SHARE = 1 / 2;

/** How many sandboxes the heavy lane may have. */
const MAX_HEAVY = Math.max(2, availableParallelism());

/** What sandboxes in processes are started with. */
export interface ProcessPoolOptions {
	launcher: Launcher;
	/** How many sandboxes serve the normal lane, and everything until there is another. */
	size: number;
	settings: SandboxSettings;
	events: PoolEvents;
}

/** The sandboxes of one cordon, in processes, and a spare that takes over at once for one that is lost or held up. */
export class ProcessPool {
	readonly containment: Containment;
	readonly #launcher: Launcher;
	readonly #size: number;
	readonly #settings: SandboxSettings;
	readonly #events: PoolEvents;
	readonly #normal = new Lane<SandboxProcess>();
	readonly #heavy = new Lane<SandboxProcess>();
	#probation: { process: SandboxProcess; version: VersionNumber } | null = null;
	readonly #spare = new Spare(() => this.#spawn());
	readonly #all = new Set<SandboxProcess>();
	#restarts = 0;
	#closed = false;
	/** In no lane any more: they finish what they have. */
	readonly #retired = new Set<SandboxProcess>();
	/** Versions that the normal lane has served since they last were in the heavy one. */
	readonly #settled = new Set<VersionNumber>();
	/** Versions that have had a slow request, or one that failed. */
	readonly #computing = new Set<VersionNumber>();
	readonly #preloader: Preloader;
	/** What is lent are the places of those that serve the normal lane, or everything. */
	readonly #scaling: Scaling;
	readonly #provisions: Provisions;
	readonly #tending: NodeJS.Timeout;

	/** Resolves when its sandboxes are ready, and the spare starts; rejects where one cannot. */
	readonly ready: Promise<void>;

	/** Starts `size` sandboxes, which serve everything until the lanes are divided. */
	constructor({ launcher, size, settings, events }: ProcessPoolOptions) {
		this.#launcher = launcher;
		this.#size = size;
		this.containment = containment(launcher.groups !== null);
		this.#settings = settings;
		this.#events = events;
		this.#scaling = new Scaling(size, () => this.#serving.members);
		this.#preloader = new Preloader((version) => {
			this.#drop(version); // Else it would be tried again elsewhere.
			events.culprit(version);
		});
		this.#provisions = new Provisions({
			places: (version, lane) => this.#provisionedAt(version, lane),
			others: (version) => this.#placesWithout(version),
			start: (version, sandbox, wanted) => {
				// Where what is new is served a start may take as long as a request's.
				const isHeavy = this.#heavy.members.some((member) => member.sandbox === sandbox);
				const mostMs = isHeavy ? version.limits.startupCpuMs : PRELOAD_START_MS;
				return this.#preloader.provide({ version, sandbox, wanted, mostMs });
			},
			onCrowdedOut: (version) => events.crowdedOut(version),
		});
		const danger = warning(this.containment);
		if (danger !== null) events.notice("warn", danger);
		this.#tending = setInterval(() => this.#tend(), TEND_MS).unref();
		for (let i = 0; i < size; i++) this.#heavy.members.push(this.#spawn());
		this.ready = this.#start();
		// Whoever waits for it hears of it, though it may have failed before they do.
		this.ready.catch(() => undefined);
	}

	async #start(): Promise<void> {
		await Promise.all([...this.#all].map((process) => process.ready));
		this.#spare.start();
	}

	#spawn(): SandboxProcess {
		const process = new SandboxProcess(this.#launcher, this.#settings, {
			onLost: (lost, why) => this.#onLost(lost, why),
			onLongTurn: (stuck, tenant) => this.#onLongTurn(stuck, tenant),
		});
		this.#all.add(process);
		process.sandbox.onStrayLine = (version, text) => this.#events.log(version, text);
		process.sandbox.onKeptFailed = (version) => this.#provisions.doubt(version, process.sandbox);
		process.sandbox.onQueue = (version) => this.#scaling.queued(version, process.sandbox);
		process.sandbox.onCulprit = (version) => this.#events.culprit(version);
		process.ready.then(
			() => {
				this.#spare.noteStart(true);
				if (!this.#closed) this.#onReady(process);
			},
			() => undefined, // Its exit is what counts, and `#onLost` hears of it.
		);
		return process;
	}

	/**
	 * A successor takes the place of a member that was lost. Where none would start the place stays empty until one
	 * does.
	 */
	#succeed(lane: Lane<SandboxProcess>, lost: SandboxProcess): void {
		if (this.#spare.missing) this.#spare.startLater();
		else if (lane === this.#heavy && lost.yields) lane.replace(lost, this.#spareForHeavy());
		else lane.replace(lost, this.#spare.take());
	}

	/** A sandbox is ready: it may be the spare that a place, or those behind a long turn, have waited for. */
	#onReady(process: SandboxProcess): void {
		this.#fillPlaces();
		this.#provisions.settle();
		if (process !== this.#spare.process) return;
		for (const member of [...this.#normal.members, ...this.#heavy.members])
			if (member.stuckBy !== null) this.#onLongTurn(member, member.stuckBy);
		this.#preloadSpare();
	}

	#fillPlaces(): void {
		for (const lane of [this.#normal, this.#heavy])
			for (const member of lane.members.slice()) if (member.ended) this.#succeed(lane, member);
	}

	/**
	 * The spare has isolates of what is provisioned before it takes over, and of what the normal lane is asked for most, as
	 * much as there is room for.
	 */
	#preloadSpare(): void {
		const { process } = this.#spare;
		if (!process?.started) return;
		const { parked, maxBytes } = this.#settings;
		const room = Math.max(parked, Math.floor((maxBytes * PRELOADED_SHARE) / PRELOADED_BYTES));
		const { versions } = this.#provisions;
		for (const { number } of versions) process.sandbox.keep(number, true);
		// Until the lanes are divided it may become the heavy lane, and is not asked for what the normal one is.
		const busiest = this.#divided ? this.#busiest() : [];
		const all = [...new Set([...versions, ...busiest])].slice(0, room);
		this.#preloader.fill(process.sandbox, all, () => this.#spare.process === process);
	}

	/** What the normal lane is asked for most. */
	#busiest(): RunnableVersion[] {
		return this.#normal.members
			.flatMap(({ sandbox }) => sandbox.recent)
			.sort((a, b) => b.recent - a.recent)
			.slice(0, MOST_PRELOADED)
			.map(({ version }) => version);
	}

	/**
	 * Has as many isolates of a version as it says started ahead of requests and kept, from now on and wherever it is
	 * placed. Resolves once they have started, or failed to.
	 */
	provision(version: RunnableVersion, lane: () => LaneName): Promise<void> {
		const isThere = this.#provisions.set(version, lane);
		this.#preloadSpare();
		return isThere;
	}

	/** Where a version is provisioned: at its home, at what will be its home once it is warm there, and in other places. */
	#provisionedAt(version: RunnableVersion, lane: LaneName): Sandbox[] {
		if (version.provisioned === 0 || lane === "probation") return [];
		const home = this.#home(version, lane);
		const next = lane === "normal" ? this.#serving.home(version.number, version.tenantNumber).sandbox : home;
		if (next === null) return [];
		const places = new Set([home, next, ...this.#scaling.provisioned(version, next).map(({ sandbox }) => sandbox)]);
		const started = [...this.#all].filter((process) => process.started).map(({ sandbox }) => sandbox);
		return started.filter((sandbox) => places.has(sandbox));
	}

	/** Where a version need not be provisioned, unless it is so elsewhere because a long turn keeps its home busy. */
	#placesWithout({ provisioned }: RunnableVersion): Sandbox[] {
		if ([...this.#normal.members, ...this.#heavy.members].some(({ stuckBy }) => stuckBy !== null)) return [];
		const all = [...this.#all].filter((process) => provisioned === 0 || process !== this.#spare.process);
		return all.map(({ sandbox }) => sandbox);
	}

	/**
	 * Whether something has proven light. Until then everything is in the heavy lane, of which the first members are those
	 * that will serve the normal one.
	 */
	get #divided(): boolean {
		return this.#normal.members.length > 0;
	}

	/** The lane whose first members are those that serve whatever keeps nobody waiting. */
	get #serving(): Lane<SandboxProcess> {
		return this.#divided ? this.#normal : this.#heavy;
	}

	/**
	 * Those that serve everything serve the normal lane from now on, and what is new comes to another. What they serve
	 * stays there, so that no isolate is made a second time, and has its turns cut as all in the normal lane has.
	 */
	#divide(): void {
		this.#normal.members.push(...this.#heavy.members.splice(0, this.#size));
		if (this.#heavy.members.length === 0) this.#heavy.members.push(this.#spareForHeavy());
	}

	/** The spare, for the heavy lane, which is not asked for what the spare has. */
	#spareForHeavy(): SandboxProcess {
		const spare = this.#spare.take().yieldToOthers();
		spare.sandbox.dropUnasked();
		return spare;
	}

	/** The spare steps into the place of a sandbox that was lost. */
	#onLost(lost: SandboxProcess, why: string): void {
		this.#all.delete(lost);
		if (this.#closed) return;
		this.#restarts++;
		this.#events.notice("warn", `a sandbox (pid ${lost.pid}) was lost: ${why}`);
		if (!lost.started) this.#spare.noteStart(false);
		if (this.#normal.has(lost)) this.#succeed(this.#normal, lost);
		else if (this.#heavy.has(lost)) {
			if (lost.yields && this.#heavy.members.length > 1) this.#heavy.remove(lost);
			else this.#succeed(this.#heavy, lost);
		} else if (this.#probation?.process === lost) this.#probation = null;
		else if (lost === this.#spare.process) this.#spare.lose();
		else this.#retired.delete(lost);
		this.#provisions.settle();
	}

	/**
	 * One turn keeps the others waiting; as long as there is no spare that could serve them sooner they do. In the
	 * normal lane, and as long as the lanes are not divided, the spare takes the sandbox's place, and the sandbox serves
	 * heavy functions once it can, or finishes what it has where there is already one a core: more would be busy at
	 * the same time than the machine has room for, and those who wait would be the neighbours. In the heavy lane
	 * another member, or one more, takes the others' requests; beyond one a core they wait.
	 */
	#onLongTurn(stuck: SandboxProcess, tenant: TenantNumber): void {
		const { ready } = this.#spare;
		for (const version of stuck.sandbox.versionsOf(tenant)) this.#computing.add(version);
		const lane = this.#serving;
		if (lane.has(stuck) && !stuck.yields) {
			if (this.#scaling.breach(stuck.sandbox, tenant)) stuck.lentToCulprit = true;
			if (!ready) {
				// At least one place is lent to nobody, and others' requests find it.
				if (stuck.lentToCulprit && stuck.overdue && !lane.stuck) stuck.sandbox.evacuate(tenant);
				return;
			}
			lane.replace(stuck, this.#spare.take());
			stuck.yieldToOthers();
			if (this.#heavy.members.length < MAX_HEAVY + (this.#divided ? 0 : this.#size)) this.#heavy.members.push(stuck);
			else this.#retired.add(stuck);
		} else if (this.#heavy.has(stuck)) {
			if (this.#heavy.stuck) {
				if (!ready || this.#heavy.members.length >= MAX_HEAVY) return;
				this.#heavy.members.push(this.#spareForHeavy());
			}
		} else return;
		stuck.sandbox.evacuate(tenant);
		this.#provisions.settle();
	}

	/** What the heavy lane needed once and no longer does is ended, and so is what has finished. */
	#tend(): void {
		this.#preloadSpare();
		for (const { sandbox } of this.#normal.members) sandbox.fade();
		this.#scaling.tend();
		this.#provisions.settle();
		for (const process of this.#retired) {
			if (process.idleMs === 0) continue;
			this.#retired.delete(process);
			this.#end(process);
		}
		for (const process of this.#heavy.members.slice(1)) {
			if (!process.yields || process.idleMs < IDLE_MS) continue;
			this.#heavy.remove(process);
			this.#end(process);
		}
	}

	#end(process: SandboxProcess): void {
		this.#all.delete(process);
		void process.close();
	}

	/**
	 * The sandbox for the next attempt of a version that was placed in a lane; `bound` and `null` as in `SandboxPool`.
	 */
	sandbox(version: RunnableVersion, lane: LaneName, bound: boolean): Sandbox | null {
		const home = this.#home(version, lane);
		if (this.#scaling.idle || home === null || bound) return home;
		if (lane !== "probation") return this.#scaling.sandbox(version, home);
		this.#scaling.end(version.number);
		return home;
	}

	#home(runnable: RunnableVersion, lane: LaneName): Sandbox | null {
		const { number: version, tenantNumber } = runnable;
		if (lane !== "probation") {
			if (!this.#divided && lane === "normal" && this.#spare.ready) this.#divide();
			const process = this.#serving.home(version, tenantNumber);
			// What had proven light, and no longer is, is not taken for what is new.
			if (lane === "heavy" && this.#settled.delete(version)) this.#computing.add(version);
			if (!this.#divided || (lane === "heavy" && this.#stays(version, process.sandbox)))
				return process.ended ? null : process.sandbox;
			// All that a tenant computes is computed in one place, so that one tenant cannot keep the whole heavy
			// lane busy.
			const heavy = this.#heavy.home(tenantNumber, tenantNumber);
			if (lane === "heavy") return heavy.ended ? null : heavy.sandbox;
			if (process.ended) return null;
			const { sandbox } = process;
			// Where it has run until now it is warm: it moves once it is in its new place too. It does not go back
			// after a takeover.
			if (this.#settled.has(version)) return sandbox;
			if (sandbox.serves(version) || heavy.stuckBy !== null || !heavy.sandbox.serves(version)) {
				this.#settled.add(version);
				for (const member of this.#heavy.members) member.sandbox.leave(version);
				return sandbox;
			}
			this.#preloader.add(runnable, sandbox, () => this.#normal.has(process) && !process.ended);
			return heavy.sandbox;
		}
		this.#computing.add(version);
		// Whoever is on probation waits for a sandbox to start, and not the others for the spare.
		if (this.#probation === null) this.#probation = { process: this.#spawn().yieldToOthers(), version };
		else if (this.#probation.version !== version) {
			if (this.#probation.process.sandbox.load > 0) return null;
			this.#probation.version = version;
		}
		return this.#probation.process.sandbox;
	}

	/**
	 * Whether a version that has not proven light stays in the normal lane: it was there before the lanes were divided,
	 * and nothing is known against it.
	 */
	#stays(version: VersionNumber, normal: Sandbox): boolean {
		return normal.serves(version) && !this.#computing.has(version);
	}

	/** A version has had a slow request, or one that failed: unless it has proven light, it is in the heavy lane. */
	computes({ number }: RunnableVersion): void {
		this.#computing.add(number);
	}

	/** At what turns of a version that was placed in a lane are cut early in a sandbox, as in `SandboxPool`. */
	cutMs({ number }: RunnableVersion, lane: LaneName, sandbox: Sandbox): Milliseconds {
		const normal = this.#divided && this.#normal.members.some((member) => member.sandbox === sandbox);
		if (this.#scaling.idle || !this.#scaling.lent(number, sandbox)) return normal ? NORMAL_TURN_MS : 0;
		return normal && lane === "normal" ? NORMAL_TURN_MS : LENT_TURN_MS;
	}

	unload(version: VersionNumber): void {
		this.#provisions.forget(version);
		this.#drop(version);
	}

	/** Nothing of a version is anywhere from now on, until it is asked for again. */
	#drop(version: VersionNumber): void {
		this.#preloader.forget(version);
		this.#scaling.end(version);
		this.#settled.delete(version);
		this.#computing.delete(version);
		for (const { sandbox } of this.#all) sandbox.leave(version);
	}

	stats() {
		const all = [...this.#all].map(({ sandbox }) => sandbox.latest);
		const sandboxes = this.#normal.members.length + this.#heavy.members.length + (this.#probation === null ? 0 : 1);
		return { sandboxes, lent: this.#scaling.count, restarts: this.#restarts, ...sum(all) };
	}

	states(): SandboxState[] {
		return [...this.#all].map((process) => {
			const { sandbox, stuckBy } = process;
			const { isolates, bytes } = sandbox.latest;
			const { versions, load } = sandbox;
			return {
				...{ pid: process.pid, lane: this.#laneOf(process), isolates, bytes, versions },
				...{ attempts: load, stuck: stuckBy !== null },
			};
		});
	}

	#laneOf(process: SandboxProcess): SandboxState["lane"] {
		if (this.#normal.has(process)) return "normal";
		if (this.#heavy.has(process)) return "heavy";
		if (this.#probation?.process === process) return "probation";
		return process === this.#spare.process ? "spare" : "leaving";
	}

	pids(): number[] {
		return [...this.#all].filter(({ started }) => started).map(({ pid }) => pid);
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#preloader.close();
		this.#spare.close();
		clearInterval(this.#tending);
		await Promise.all([...this.#all].map((process) => process.close()));
	}
}

function sum(all: SandboxStats[]): SandboxStats {
	const total: SandboxStats = { isolates: 0, bytes: 0, hits: 0, coldStarts: 0, evictions: 0 };
	for (const one of all) for (const key of Object.keys(total) as (keyof SandboxStats)[]) total[key] += one[key];
	return total;
}
