import { millisecondsOf } from "../../config/durations.ts";
import type { EpochMs, Milliseconds } from "../../units.ts";
import type { Alert } from "./alert.ts";
import type { Write } from "./alert-database.ts";
import type { Clock } from "./clock.ts";
import { type Labels, matchesAll } from "./matcher.ts";
import { MOST_TOLD, type Notification, newId, toldOf } from "./notification.ts";
import { RESEND_MS } from "./receivers/alertmanager.ts";
import type { Receiver } from "./receivers/receiver.ts";
import type { Silence } from "./silence.ts";
import { Slice } from "./slice.ts";

/** So many groups a tenant's receiver may have, and so many one of the operator's; all further alerts are one together. */
const MOST_GROUPS = 100;
const MOST_OF_OPERATOR = 1000;
const OTHERS: Labels = { group: "others" };

/** The alerts that a receiver is told of together, as they are kept. */
interface KeptGroup {
	receiver: string;
	labels: Labels;
	/** When what has changed is told, and when something was told last, by the clock of a start of the machine. */
	due: Milliseconds | null;
	sent: Milliseconds | null;
	boot: string;
	/** What it was told of alerts, by their ids: since when they fire. */
	told: Record<string, EpochMs>;
}

/** The alerts of a group; those that are silenced, and that its receiver knows of. */
type Members = Record<"firing" | "resolved" | "silenced", Alert[]>;

/** What is thought out for a receiver: what it is told now, and what is kept of that. */
export interface Plan {
	notifications: Notification[];
	writes: Write[];
	/** When there is something to do next; `null` for never, as it is. */
	next: Milliseconds | null;
}

/** What receivers are told of which alerts, and when, as an Alertmanager does it: a group waits, and is told as a whole. */
export class Groups {
	readonly #clock: Clock;
	readonly #url: string;
	/** By receiver, and what its labels are. */
	readonly #groups = new Map<string, Map<string, KeptGroup>>();

	constructor(clock: Clock, url: string, kept: ReadonlyMap<string, KeptGroup>) {
		this.#clock = clock;
		this.#url = url;
		const now = clock.monotonic();
		for (const group of kept.values()) {
			// After the machine's start what was due is due, and what was sent was sent just now.
			if (group.boot !== clock.boot || (group.sent ?? 0) > now) {
				if (group.due !== null) group.due = now;
				if (group.sent !== null) group.sent = now;
				group.boot = clock.boot;
			}
			const own = this.#groups.get(group.receiver) ?? new Map<string, KeptGroup>();
			this.#groups.set(group.receiver, own.set(textOf(group.labels), group));
		}
	}

	receivers(): string[] {
		return [...this.#groups.keys()];
	}

	/** Forgets what a receiver was told: it is none any more. */
	forget(receiver: string): Write[] {
		const own = this.#groups.get(receiver) ?? new Map<string, KeptGroup>();
		this.#groups.delete(receiver);
		return [...own.keys()].map((text) => ({ table: "groups", key: keyOf(receiver, text), value: null }));
	}

	/** What a receiver is to be told now, of the alerts that it may know. */
	async plan(receiver: Receiver, alerts: Iterable<Alert>, silences: readonly Silence[]): Promise<Plan> {
		const slice = new Slice();
		const now = this.#clock.monotonic();
		const wall = this.#clock.wall();
		const active = silences.filter(({ from, until }) => from <= wall && wall < until);
		const groups = this.#groups.get(receiver.key) ?? new Map<string, KeptGroup>();
		this.#groups.set(receiver.key, groups);
		const members = new Map<string, Members>();
		const fresh = new Set<string>();
		const most = receiver.owner === null ? MOST_OF_OPERATOR : MOST_GROUPS;
		for (const alert of alerts) {
			if (slice.isOver) await slice.pass();
			if (alert.state === "pending" || !matchesAll(receiver.matchers, alert.labels)) continue;
			const own = groupOf(receiver, alert.labels);
			const isTold = (labels: Labels) => groups.get(textOf(labels))?.told[alert.id] === alert.startsAt;
			// What was told with the others goes on with them, also where there is room by now.
			const isOther = isTold(OTHERS) || (groups.size >= most && !groups.has(textOf(own)));
			const labels = isOther ? OTHERS : own;
			const text = textOf(labels);
			const wasTold = isTold(labels);
			const isSilenced = alert.state === "firing" && active.some(({ matchers }) => matchesAll(matchers, alert.labels));
			// That it is over is told to whoever knows of it, and to nobody else.
			if ((alert.state === "resolved" || isSilenced) && !wasTold) continue;
			if (!groups.has(text)) {
				const wait = receiver.kind === "alertmanager" ? 0 : millisecondsOf(receiver.groupWait);
				groups.set(text, {
					receiver: receiver.key,
					labels,
					due: now + wait,
					sent: null,
					boot: this.#clock.boot,
					told: {},
				});
				fresh.add(text);
			}
			const of = members.get(text) ?? { firing: [], resolved: [], silenced: [] };
			members.set(text, of);
			of[isSilenced ? "silenced" : (alert.state as "firing" | "resolved")].push(alert);
		}
		const plan: Plan = { notifications: [], writes: [], next: soonest(silences, wall, now) };
		for (const [text, group] of [...groups]) {
			if (slice.isOver) await slice.pass();
			const key = keyOf(receiver.key, text);
			const own = members.get(text);
			if (own === undefined) {
				groups.delete(text);
				plan.writes.push({ table: "groups", key, value: null });
				continue;
			}
			const before = JSON.stringify(group);
			this.#planGroup(plan, { receiver, group, ...own, now });
			if (fresh.has(text) || before !== JSON.stringify(group)) plan.writes.push({ table: "groups", key, value: group });
		}
		if (groups.size === 0) this.#groups.delete(receiver.key);
		return plan;
	}

	#planGroup(
		plan: Plan,
		{
			receiver,
			group,
			firing,
			resolved,
			silenced,
			now,
		}: Members & { receiver: Receiver; group: KeptGroup; now: Milliseconds },
	): void {
		const isAlertmanager = receiver.kind === "alertmanager";
		const over = receiver.sendResolved || isAlertmanager ? resolved : [];
		if (over.length === 0) for (const { id } of resolved) delete group.told[id];
		const isChanged = over.length > 0 || firing.some(({ id, startsAt }) => group.told[id] !== startsAt);
		const interval = isAlertmanager ? 0 : millisecondsOf(receiver.groupInterval);
		const repeat = isAlertmanager ? RESEND_MS : millisecondsOf(receiver.repeatInterval);
		const repeatAt = () => (group.sent !== null && firing.length > 0 ? group.sent + repeat : null);
		if (isChanged) group.due ??= (group.sent ?? now) + interval;
		else group.due = null;
		const isRepeat = !isChanged && (repeatAt() ?? now + 1) <= now;
		if ((group.due !== null && group.due <= now) || isRepeat) {
			plan.notifications.push(...this.#notifications(receiver, group.labels, [...firing, ...over], isRepeat));
			group.told = Object.fromEntries([...firing, ...silenced].map(({ id, startsAt }) => [id, startsAt]));
			group.due = null;
			group.sent = now;
		}
		for (const time of [group.due, repeatAt()]) if (time !== null) plan.next = Math.min(plan.next ?? time, time);
	}

	/** An Alertmanager is told of all, in parts; a person of the first ones, and how many there are. */
	#notifications(receiver: Receiver, groupLabels: Labels, alerts: Alert[], isRepeat: boolean): Notification[] {
		const parts =
			receiver.kind === "alertmanager"
				? Array.from({ length: Math.ceil(alerts.length / MOST_TOLD) }, (_, i) =>
						alerts.slice(i * MOST_TOLD, (i + 1) * MOST_TOLD),
					)
				: [alerts.slice(0, MOST_TOLD)];
		return parts.map((part) => ({
			id: newId(),
			created: this.#clock.wall(),
			status: part.some(({ state }) => state === "firing") ? "firing" : "resolved",
			receiver: receiver.name,
			groupLabels,
			alerts: part.map(toldOf),
			omitted: receiver.kind === "alertmanager" ? 0 : alerts.length - part.length,
			url: this.#url,
			isRepeat,
			isTest: false,
		}));
	}
}

/** An Alertmanager groups by itself. */
function groupOf({ kind, groupBy }: Receiver, labels: Labels): Labels {
	if (kind === "alertmanager") return {};
	return Object.fromEntries(groupBy.map((name) => [name, Object.hasOwn(labels, name) ? labels[name] : ""]));
}

const textOf = (labels: Labels) => JSON.stringify(labels);
const keyOf = (receiver: string, text: string) => `${receiver} ${text}`;

/** When the next silence begins or ends. */
function soonest(silences: readonly Silence[], wall: EpochMs, now: Milliseconds): Milliseconds | null {
	const ahead = silences.flatMap(({ from, until }) => [from, until]).filter((time) => time > wall);
	return ahead.length === 0 ? null : now + Math.min(...ahead) - wall;
}
