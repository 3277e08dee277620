import type { ReceiverKind } from "../../config/alert-receivers.ts";
import { tenantOfKey } from "../../names.ts";
import type { Count, EpochMs, Milliseconds } from "../../units.ts";
import type { Write } from "./alert-database.ts";
import type { Clock } from "./clock.ts";
import type { Notification } from "./notification.ts";
import { alertmanager } from "./receivers/alertmanager.ts";
import type { Outgoing } from "./receivers/outgoing.ts";
import type { Form, Receiver } from "./receivers/receiver.ts";
import { slack } from "./receivers/slack.ts";
import { webhook } from "./receivers/webhook.ts";

const FORMS: Readonly<Record<ReceiverKind, Form>> = { webhook, slack, alertmanager };

/** So many wait for one receiver, and so much text: the oldest make room. */
const MOST_WAITING = 100;
const MOST_TEXT = 2 ** 20;
/** Of so many that are over it is known what became of them. */
const MOST_OVER = 50;
/** So many requests of tenants are under way, and so many of one tenant, or of the operator besides. */
const MOST_RUNNING = 64;
const MOST_OF_OWNER = 4;
/** From so many on a tenant has one, so that a few whose receivers are slow do not take all the room. */
const MANY_RUNNING = 16;
/** What failed is tried again after a second, and each time twice as long, up to five minutes, for a day. */
const FIRST_MS: Milliseconds = 1000;
const LONGEST_MS: Milliseconds = 300_000;
const GIVE_UP_MS: Milliseconds = 86_400_000;
/** A receiver fails once it could not be told so often in a row. */
const FAILING = 3;
/** Answers for which to try again has no point. */
const isFinal = (status: number) => status >= 300 && status < 500 && ![408, 425, 429].includes(status);

/** What has become of a notification. */
export interface Delivery {
	id: string;
	/** The receiver's key. */
	receiver: string;
	notification: Notification;
	state: "waiting" | "delivered" | "failed" | "dropped";
	attempts: Count;
	/** When it is tried next; `null` once it is over, and then when that was. */
	due: EpochMs | null;
	ended: EpochMs | null;
	/** So much text it is. */
	size: Count;
	/** Of the last answer; `null` where there was none, and why. */
	status: number | null;
	error: string | null;
}

export type DeliveryOutcome = "delivered" | "retried" | "failed" | "dropped";

export interface DeliveriesParts {
	clock: Clock;
	outgoing: Outgoing;
	receiver: (key: string) => Receiver | undefined;
	write: (writes: readonly Write[]) => void;
	onOutcome: (outcome: DeliveryOutcome, delivery: Delivery) => void;
}

/**
 * What receivers are to be told, in order for each of them, until they have it or it is given up. A receiver that is
 * slow or gone keeps nobody else waiting.
 */
export class Deliveries {
	readonly #parts: DeliveriesParts;
	/** By receiver, the oldest first. */
	readonly #waiting = new Map<string, Delivery[]>();
	readonly #over = new Map<string, Delivery[]>();
	readonly #running = new Map<string, Promise<void>>();
	readonly #failures = new Map<string, Count>();
	/** When what waits is due, by the clock that nobody sets. */
	readonly #due = new WeakMap<Delivery, Milliseconds>();
	#timer: NodeJS.Timeout | undefined;
	#closed = false;

	constructor(parts: DeliveriesParts, kept: ReadonlyMap<string, Delivery>) {
		this.#parts = parts;
		const { clock } = parts;
		for (const one of [...kept.values()].sort((a, b) => a.notification.created - b.notification.created)) {
			add(one.state === "waiting" ? this.#waiting : this.#over, one);
			if (one.due === null) continue;
			// The clock may have been set meanwhile: nothing waits for longer than it ever would.
			this.#wait(one, Math.min(Math.max(one.due - clock.wall(), 0), LONGEST_MS));
			if (one.attempts > 0) this.#failures.set(one.receiver, one.attempts);
		}
	}

	/** What a tenant's or the operator's receivers were told lately or wait for, the latest first. */
	of(owner: string): Delivery[] {
		const own = [...this.#waiting, ...this.#over].filter(([key]) => tenantOfKey(key) === owner);
		return own.flatMap(([, all]) => all).sort((a, b) => b.notification.created - a.notification.created);
	}

	/** How many receivers have failed for a while, by whose they are. */
	failing(): Map<string, Count> {
		const found = new Map<string, Count>();
		for (const [key, failures] of this.#failures) {
			const owner = tenantOfKey(key);
			if (failures >= FAILING) found.set(owner, (found.get(owner) ?? 0) + 1);
		}
		return found;
	}

	/** Has a receiver be told; what is to be written with it comes back. Begun by `run`. */
	add(receiver: string, notification: Notification): Write[] {
		const waiting = this.#waiting.get(receiver) ?? [];
		// It would say the same, later.
		if (notification.isRepeat && waiting.length > 0) return [];
		const { id } = notification;
		const due = this.#parts.clock.wall();
		const one: Delivery = {
			...{ id, receiver, notification, state: "waiting", attempts: 0 },
			...{ due, ended: null, status: null, error: null },
			size: JSON.stringify(notification).length,
		};
		add(this.#waiting, one);
		const writes: Write[] = [written(one)];
		const all = this.#waiting.get(receiver) as Delivery[];
		// The first one may be under way.
		const isTooMuch = () => all.length > MOST_WAITING || all.reduce((sum, { size }) => sum + size, 0) > MOST_TEXT;
		while (all.length > 2 && isTooMuch()) writes.push(...this.#end(all.splice(1, 1)[0], "dropped"));
		return writes;
	}

	/** Sends what is due, of as many receivers as may be told at a time. */
	run(): void {
		clearTimeout(this.#timer);
		if (this.#closed) return;
		const now = this.#parts.clock.monotonic();
		let next = Number.POSITIVE_INFINITY;
		for (const [key, [first]] of [...this.#waiting]) {
			if (this.#running.has(key)) continue;
			const due = this.#due.get(first) ?? now;
			if (due > now) next = Math.min(next, due);
			else if (this.#mayRun(key)) this.#start(key, first);
		}
		if (next < Number.POSITIVE_INFINITY)
			this.#timer = setTimeout(() => this.run(), Math.min(Math.max(next - now, 10), LONGEST_MS)).unref();
	}

	/** Has one be tried in so long. */
	#wait(one: Delivery, delay: Milliseconds): void {
		one.due = this.#parts.clock.wall() + delay;
		this.#due.set(one, this.#parts.clock.monotonic() + delay);
	}

	#isThere(one: Delivery): boolean {
		return this.#waiting.get(one.receiver)?.includes(one) ?? false;
	}

	#mayRun(key: string): boolean {
		const owner = tenantOfKey(key);
		const all = [...this.#running.keys()].map(tenantOfKey);
		const own = all.filter((one) => one === owner).length;
		if (owner === "") return own < MOST_OF_OWNER;
		const tenants = all.filter((one) => one !== "").length;
		return tenants < MOST_RUNNING && own < (tenants < MANY_RUNNING ? MOST_OF_OWNER : 1);
	}

	#start(key: string, one: Delivery): void {
		// Those that have been served come last.
		const all = this.#waiting.get(key) as Delivery[];
		this.#waiting.delete(key);
		this.#waiting.set(key, all);
		const done = this.#attempt(one).finally(() => {
			this.#running.delete(key);
			this.run();
		});
		this.#running.set(key, done);
	}

	async #attempt(one: Delivery): Promise<void> {
		const receiver = this.#parts.receiver(one.receiver);
		if (receiver === undefined || !receiver.enabled) {
			this.#failures.delete(one.receiver);
			return this.#settle(one, "dropped");
		}
		const { status, error, retryAfter } = await this.send(receiver, one.notification);
		if (this.#closed || !this.#isThere(one)) return;
		Object.assign(one, { status, error, attempts: one.attempts + 1 });
		if (status !== null && status >= 200 && status < 300) {
			this.#failures.delete(one.receiver);
			return this.#settle(one, "delivered");
		}
		this.#failures.set(one.receiver, (this.#failures.get(one.receiver) ?? 0) + 1);
		const { clock } = this.#parts;
		const isOld = clock.wall() - one.notification.created > GIVE_UP_MS;
		if (isOld || (status !== null && isFinal(status))) return this.#settle(one, "failed");
		const wait = Math.min(FIRST_MS * 2 ** (one.attempts - 1), LONGEST_MS) * (0.8 + 0.4 * Math.random());
		this.#wait(one, Math.round(Math.min(Math.max(wait, retryAfter), LONGEST_MS)));
		this.#parts.write([written(one)]);
		this.#parts.onOutcome("retried", one);
	}

	/** Tells a receiver, once. Never rejects. */
	async send(
		receiver: Receiver,
		notification: Notification,
	): Promise<{ status: number | null; error: string | null; retryAfter: Milliseconds }> {
		const { clock, outgoing } = this.#parts;
		try {
			const request = FORMS[receiver.kind](notification, receiver.address(), clock.wall());
			const came = await outgoing.send(request, receiver.isConfigured ? null : tenantOfKey(receiver.key));
			if ("error" in came) return { status: null, error: came.error, retryAfter: 0 };
			const { status } = came;
			const ok = status >= 200 && status < 300;
			const seconds = /^\d{1,4}$/.test(came.retryAfter ?? "") ? Number(came.retryAfter) : 0;
			return { status, error: ok ? null : `it answered ${status}`, retryAfter: seconds * 1000 };
		} catch (error) {
			return { status: null, error: (error as Error).message, retryAfter: 0 };
		}
	}

	#settle(one: Delivery, outcome: "delivered" | "failed" | "dropped"): void {
		const waiting = this.#waiting.get(one.receiver) ?? [];
		const rest = waiting.filter((other) => other !== one);
		if (rest.length === 0) this.#waiting.delete(one.receiver);
		else this.#waiting.set(one.receiver, rest);
		this.#parts.write(this.#end(one, outcome));
	}

	#end(one: Delivery, state: "delivered" | "failed" | "dropped"): Write[] {
		Object.assign(one, { state, due: null, ended: this.#parts.clock.wall() });
		this.#parts.onOutcome(state, one);
		// How many alerts it was about is known still, and no more what it said of them.
		const { alerts, omitted } = one.notification;
		one.notification = { ...one.notification, alerts: [], omitted: alerts.length + omitted };
		// An Alertmanager is told the same every minute.
		if (one.notification.isRepeat && state === "delivered") return [{ table: "deliveries", key: one.id, value: null }];
		add(this.#over, one);
		const over = this.#over.get(one.receiver) as Delivery[];
		const gone = over.splice(0, Math.max(0, over.length - MOST_OVER));
		return [written(one), ...gone.map(({ id }): Write => ({ table: "deliveries", key: id, value: null }))];
	}

	/** A receiver is another now: that it failed says nothing any more, and what waits for it is tried at once. */
	renew(receiver: string): void {
		this.#failures.delete(receiver);
		for (const one of this.#waiting.get(receiver) ?? []) this.#wait(one, 0);
	}

	/** Forgets a receiver that is no more. */
	forget(receiver: string): Write[] {
		const all = [...(this.#waiting.get(receiver) ?? []), ...(this.#over.get(receiver) ?? [])];
		for (const map of [this.#waiting, this.#over, this.#failures]) map.delete(receiver);
		return all.map(({ id }) => ({ table: "deliveries", key: id, value: null }));
	}

	receivers(): string[] {
		return [...new Set([...this.#waiting.keys(), ...this.#over.keys(), ...this.#failures.keys()])];
	}

	/** What is under way is not waited for: it is sent again at the next start, under the same id. */
	close(): void {
		this.#closed = true;
		clearTimeout(this.#timer);
	}
}

function add(to: Map<string, Delivery[]>, one: Delivery): void {
	const all = to.get(one.receiver);
	if (all === undefined) to.set(one.receiver, [one]);
	else all.push(one);
}

const written = (one: Delivery): Write => ({ table: "deliveries", key: one.id, value: one });
