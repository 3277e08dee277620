import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Complaint } from "./complaint.ts";
import type { Order } from "./edge.ts";
import { EdgeProcess } from "./edge-process.ts";
import { holdings } from "./holdings.ts";
import { NEIGHBOURS, Neighbours } from "./neighbours.ts";
import { type Calm, type Patience, type Terms, Watch } from "./watch.ts";

/** Functions that are there from the start, for targets that need no other. */
const STANDING = ["stage", "fetcher"];
/** Limits that no neighbour comes near on however slow a machine: V8 counts CPU time by the clock on the wall. */
const NEIGHBOUR_LIMITS = { wallMs: 60_000, cpuMs: 30_000 };

/** A real edge with neighbours, for as many attacks as are wanted. */
export class Arena {
	readonly #patience: Patience;
	readonly #data = mkdtempSync(join(tmpdir(), "atoll-fuzz-"));
	#edge!: EdgeProcess;
	#neighbours!: Neighbours;
	#calm!: Calm;

	private constructor(patience: Patience) {
		this.#patience = patience;
	}

	static async start(patience: Patience = 1): Promise<Arena> {
		const arena = new Arena(patience);
		try {
			await arena.#start();
		} catch (error) {
			arena.#removeData(); // An edge that runs ends with this process.
			throw error;
		}
		return arena;
	}

	async #start(): Promise<void> {
		this.#edge = await EdgeProcess.start(this.#data);
		for (const name of STANDING) await this.order({ deploy: { name, entry: `fuzz/functions/${name}.js` } });
		for (let i = 0; i < NEIGHBOURS; i++) {
			const deploy = { name: `neighbour${i}`, entry: "fuzz/functions/neighbour.js" };
			await this.order({ deploy, limits: NEIGHBOUR_LIMITS });
		}
		this.#neighbours = new Neighbours(this.#edge.port);
		await this.#neighbours.warmUp();
		this.#calm = { ...(await this.#edge.observe(true)), ...holdings(this.#edge.pid) };
	}

	/** Where the edge listens. */
	get port(): number {
		return this.#edge.port;
	}

	/** Has the edge do something. Rejects with what it says to that, or if it has ended. */
	order(order: Order): Promise<unknown> {
		return this.#edge.order(order);
	}

	/** Lets an attack happen, and gives all that is wrong with what it led to, and with what it has seen itself. */
	async judge(attack: () => Promise<Complaint[]>, terms: Terms): Promise<Complaint[]> {
		const edge = this.#edge;
		let watch: Watch | null = null;
		try {
			watch = await Watch.begin(edge, this.#calm, this.#patience);
			this.#neighbours.start();
			const complaints = await attack();
			watch.stop();
			const failures = await this.#neighbours.stop();
			if (failures.length > 0) complaints.push({ kind: "neighbour-failed", text: failures.slice(0, 3).join("; ") });
			complaints.push(...(await watch.complaints(terms)));
			if (edge.ended === null) return complaints;
		} catch (error) {
			watch?.stop();
			await this.#neighbours.stop();
			if (!(await edge.hasEnded())) throw error;
		}
		const ended: Complaint = { kind: "edge-ended", text: `${edge.ended}\n${edge.lastWords}` };
		const left = await edge.stop();
		return left.length === 0 ? [ended] : [ended, { kind: "left-behind", text: `${left.length} processes go on` }];
	}

	/** Another edge takes the place of one that an attack has left its marks on. */
	async renew(): Promise<void> {
		this.#neighbours.close();
		await this.#edge.stop();
		await this.#start();
	}

	async close(): Promise<void> {
		this.#neighbours.close();
		await this.#edge.stop();
		this.#removeData();
	}

	#removeData(): void {
		rmSync(this.#data, { recursive: true, force: true, maxRetries: 5 });
	}
}
