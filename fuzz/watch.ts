import type { Complaint, ComplaintKind } from "./complaint.ts";
import type { Observation } from "./edge.ts";
import type { EdgeProcess } from "./edge-process.ts";
import { forgetPeak, type Holdings, holdings } from "./holdings.ts";
import { pause } from "./pause.ts";

/** What the edge may hold for functions and their clients by its own account. */
export const MAX_ACCOUNT = 64 * 2 ** 20;
/** So much that is alive may the edge hold more while one case is at it; and for good, after all of them. */
const MOST_HELD = MAX_ACCOUNT + 72 * 2 ** 20;
const MOST_KEPT = 24 * 2 ** 20;
/** So much more may its process take, with what is garbage or not V8's; and so many more descriptors may it keep. */
const MOST_RESIDENT = 400 * 2 ** 20;
const MOST_DESCRIPTORS = 32;
/** What is first needed by a case stays for a while: some sandboxes, helpers and builds, each behind walls of processes. */
const MOST_PROCESSES = 40;
/** Connections that are kept alive, and are about to be closed, may have a little on their accounts. */
const MOST_CHARGED = 2 ** 20;
/** No case sends so much, or has so much sent, that the edge would have as much to do. */
const MOST_CPU_MS = 2500;
/** Requests end by themselves at their limits, which are far below. */
const SETTLE_MS = 10_000;
const LOOK_MS = 250;

/** How an attack is judged. */
export interface Terms {
	/** Who attacks: the functions that may be struck, by how their names begin. */
	attackers: string;
	/** The attack is a sandbox of the attacker's own that breaks the protocol: it is lost, whoever is struck. */
	ownSandbox: boolean;
}

/** How many times the time that is enough on a usual machine an edge is given before it is complained of. */
export type Patience = number;

/** What an edge held before anybody attacked it. */
export type Calm = Holdings & Observation;

interface WatchSettings {
	calm: Calm;
	/** How many sandboxes had been lost when it began. */
	restarts: number;
	patience: Patience;
}

/** Looks on while an edge is attacked. */
export class Watch {
	readonly #edge: EdgeProcess;
	readonly #calm: Calm;
	readonly #before: Holdings;
	readonly #restarts: number;
	readonly #patience: Patience;
	readonly #looking: NodeJS.Timeout;
	#mostHeld = 0;
	#losses: string[] = [];
	#struck: string[] = [];
	#faults: string[] = [];

	private constructor(edge: EdgeProcess, { calm, restarts, patience }: WatchSettings) {
		this.#edge = edge;
		this.#calm = calm;
		forgetPeak(edge.pid);
		this.#before = holdings(edge.pid);
		this.#restarts = restarts;
		this.#patience = patience;
		this.#looking = setInterval(() => {
			this.#look(true).catch(() => undefined); // It has ended, as is noticed otherwise.
		}, LOOK_MS);
	}

	static async begin(edge: EdgeProcess, calm: Calm, patience: Patience): Promise<Watch> {
		return new Watch(edge, { calm, restarts: (await edge.observe()).restarts, patience });
	}

	async #look(collect = false): Promise<Observation> {
		const seen = await this.#edge.observe(collect);
		if (collect) this.#mostHeld = Math.max(this.#mostHeld, seen.heldBytes);
		this.#losses.push(...seen.losses);
		this.#struck.push(...seen.struck);
		this.#faults.push(...seen.faults);
		return seen;
	}

	/** The attack is over. */
	stop(): void {
		clearInterval(this.#looking);
	}

	/** Looks until nothing is at work any more, and complains of what has come about. */
	async complaints({ attackers, ownSandbox }: Terms): Promise<Complaint[]> {
		const complaints: Complaint[] = [];
		const complain = (wrong: boolean, kind: ComplaintKind, text: string) => {
			if (wrong) complaints.push({ kind, text });
		};
		const late = performance.now() + SETTLE_MS * this.#patience;
		let seen = await this.#look();
		while (seen.inFlight > 0 && performance.now() < late) {
			await pause(10);
			seen = await this.#look();
		}
		const losses = this.#losses.join("; ");
		complain(this.#faults.length > 0, "edge-faulted", this.#faults[0]);
		const innocent = this.#struck.filter((name) => !name.startsWith(attackers));
		complain(seen.inFlight > 0, "stuck", `${seen.inFlight} requests are still in flight`);
		complain(innocent.length > 0, "struck-another", `${innocent.join(", ")} (${losses})`);
		const nobody = seen.restarts > this.#restarts && this.#struck.length === 0 && !ownSandbox;
		complain(nobody, "sandbox-lost", `and nobody was struck: ${losses}`);
		const after = holdings(this.#edge.pid);
		const held = this.#mostHeld - this.#calm.heldBytes;
		complain(held > MOST_HELD, "grew", `it held ${megabytes(held)} more`);
		const resident = after.peakBytes - this.#before.bytes;
		complain(resident > MOST_RESIDENT, "grew", `its process took ${megabytes(resident)} more`);
		const cpuMs = after.cpuMs - this.#before.cpuMs;
		complain(cpuMs > MOST_CPU_MS * this.#patience, "busy", `the edge computed for ${cpuMs} ms`);
		return [...complaints, ...(await this.#kept())];
	}

	/** What is still there of all the cases until now; it is waited for to go, so that no later case is blamed. */
	async #kept(): Promise<Complaint[]> {
		const late = performance.now() + SETTLE_MS * this.#patience;
		for (;;) {
			const { bytes, descriptors, processes } = holdings(this.#edge.pid);
			const kept = descriptors - this.#calm.descriptors;
			const started = processes - this.#calm.processes;
			const much = this.#mostHeld - this.#calm.heldBytes > MOST_KEPT || bytes - this.#calm.bytes > MOST_RESIDENT;
			const seen = await this.#edge.observe(much);
			const held = much ? seen.heldBytes - this.#calm.heldBytes : 0;
			const charged = seen.accountBytes - this.#calm.accountBytes;
			const few = kept <= MOST_DESCRIPTORS && started <= MOST_PROCESSES;
			if (few && held <= MOST_KEPT && charged <= MOST_CHARGED) return [];
			const sizes = `${megabytes(held)}, ${megabytes(charged)} on accounts`;
			const text = `for good: ${sizes}, ${kept} descriptors and ${started} processes more`;
			if (performance.now() > late) return [{ kind: "grew", text }];
			await pause(LOOK_MS);
		}
	}
}

const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
