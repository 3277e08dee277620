import type { Count, Milliseconds } from "../../units.ts";
import { Askers } from "../askers.ts";
import { ControlError } from "../control-error.ts";
import type { Alert } from "./alert.ts";
import type { AlertDatabase, Write } from "./alert-database.ts";
import type { Book } from "./book.ts";
import type { Clock } from "./clock.ts";
import { Deliveries, type Delivery, type DeliveryOutcome } from "./deliveries.ts";
import { Groups } from "./groups.ts";
import { type Notification, newId } from "./notification.ts";
import type { Outgoing } from "./receivers/outgoing.ts";
import type { Receiver } from "./receivers/receiver.ts";

/** So many receivers are tried out at a time, and so many of one tenant; the operator's are besides. */
const MOST_TESTS = 8;
const MOST_OF_OWNER = 1;

export interface DispatcherParts {
	clock: Clock;
	book: Book;
	database: AlertDatabase;
	outgoing: Outgoing;
	/** Where people look further. */
	url: string;
	/** The alerts that receivers of a tenant hear of, or those of the operator, who is the empty one. */
	visible: (owner: string) => Iterable<Alert>;
	write: (writes: readonly Write[]) => void;
	onOutcome: (outcome: DeliveryOutcome, delivery: Delivery) => void;
}

/** Has receivers be told of alerts, each time that there is something to tell. */
export class Dispatcher {
	readonly #parts: DispatcherParts;
	readonly #groups: Groups;
	readonly #deliveries: Deliveries;
	/** Whose receivers have to be thought about, and when that is anyway. */
	readonly #touched = new Set<string>();
	readonly #due = new Map<string, Milliseconds>();
	/** Receivers as they were thought about last, by their keys. */
	#receivers = new Map<string, Receiver>();
	/** Whose receivers are tried out now. */
	readonly #testers = new Askers();

	constructor(parts: DispatcherParts) {
		this.#parts = parts;
		const { clock, book, database, outgoing, url, write, onOutcome } = parts;
		this.#groups = new Groups(clock, url, database.read("groups"));
		this.#deliveries = new Deliveries(
			{ clock, outgoing, receiver: (key) => book.receiver(key), write, onOutcome },
			database.read("deliveries"),
		);
	}

	/** Something that receivers of an owner may hear of is another now. */
	touch(...owners: string[]): void {
		for (const owner of owners) this.#touched.add(owner);
	}

	/** Receivers or silences are others now. What is to be written for that comes back. */
	reconsider(): Write[] {
		const { book } = this.#parts;
		const there = new Map<string, Receiver>();
		for (const owner of book.receiving()) {
			this.touch(owner);
			for (const one of book.receiversOf(owner).values()) there.set(one.key, one);
		}
		for (const [key, before] of this.#receivers) if (there.get(key) !== before) this.#deliveries.renew(key);
		this.#receivers = there;
		const known = new Set([...this.#groups.receivers(), ...this.#deliveries.receivers()]);
		const gone = [...known].filter((key) => !there.has(key));
		return gone.flatMap((key) => [...this.#groups.forget(key), ...this.#deliveries.forget(key)]);
	}

	/** Thinks out what receivers are to be told. What is to be written before they are comes back. */
	async plan(): Promise<Write[]> {
		const { book, clock, visible } = this.#parts;
		const now = clock.monotonic();
		const writes: Write[] = [];
		const touched = new Set(this.#touched);
		this.#touched.clear();
		for (const owner of book.receiving()) {
			if (!touched.has(owner) && (this.#due.get(owner) ?? Number.POSITIVE_INFINITY) > now) continue;
			this.#due.delete(owner);
			const silences = [...book.silencesOf(owner).values()];
			for (const receiver of book.receiversOf(owner).values()) {
				if (!receiver.enabled) continue;
				const plan = await this.#groups.plan(receiver, visible(owner), silences);
				for (const write of plan.writes) writes.push(write);
				for (const one of plan.notifications) writes.push(...this.#deliveries.add(receiver.key, one));
				if (plan.next !== null) this.#due.set(owner, Math.min(this.#due.get(owner) ?? plan.next, plan.next));
			}
		}
		return writes;
	}

	/** Sends what is to be sent. */
	run(): void {
		this.#deliveries.run();
	}

	/** What receivers of an owner were told lately, and are to be told. */
	of(owner: string): Delivery[] {
		return this.#deliveries.of(owner);
	}

	/** How many receivers fail, by whose they are. */
	failing(): Map<string, Count> {
		return this.#deliveries.failing();
	}

	/** Tells a receiver that this is a test, once and now. Throws ControlError `too_many_attempts`. */
	async test(receiver: Receiver): Promise<{ status: number | null; error: string | null }> {
		const { owner } = receiver;
		const own = this.#testers.of(owner);
		if (own >= (owner === null ? MOST_TESTS : MOST_OF_OWNER) || (owner !== null && this.#testers.tenants >= MOST_TESTS))
			throw new ControlError("too_many_attempts", "other receivers are tried out at this moment: ask again", 1);
		return this.#testers.serve(owner, async () => {
			const { status, error } = await this.#deliveries.send(receiver, this.#testOf(receiver));
			return { status, error };
		});
	}

	#testOf({ name, owner }: Receiver): Notification {
		const now = this.#parts.clock.wall();
		const labels = { alertname: "test", severity: "info", ...(owner !== null && { tenant: owner }) };
		const alert = {
			...{ id: "test//", rule: "test", labels, annotations: { summary: "this is a test, and nothing is wrong" } },
			...{ value: 1, threshold: "> 0", startsAt: now, endsAt: now + 60_000 },
		};
		return {
			...{ id: newId(), created: now, status: "firing", receiver: name },
			...{ groupLabels: { alertname: "test" }, omitted: 0, url: this.#parts.url, isRepeat: false, isTest: true },
			alerts: [{ ...alert, severity: "info", status: "firing" }],
		};
	}

	/** Sends nothing any more. */
	stop(): void {
		this.#deliveries.close();
	}
}
