import { Counter, Gauge, type Registry } from "prom-client";
import type { AlertsConfig } from "../../config/alert-receivers.ts";
import type { EdgeStats } from "../../feed/messages.ts";
import type { LogQuery, LogResult, Rollup, RollupQuery } from "../../logs/calls.ts";
import type { TenantName } from "../../names.ts";
import type { Tally } from "../../observe/tally.ts";
import type { Count, EpochMs, Milliseconds } from "../../units.ts";
import { ControlError } from "../control-error.ts";
import type { Sealer } from "../secrets.ts";
import type { Store } from "../store/store.ts";
import { type Alert, shown, type Transition } from "./alert.ts";
import { AlertDatabase, type Write } from "./alert-database.ts";
import { Book } from "./book.ts";
import { type Clock, machineClock } from "./clock.ts";
import type { Delivery, DeliveryOutcome } from "./deliveries.ts";
import { Dispatcher } from "./dispatcher.ts";
import { type Evaluation, Evaluator } from "./evaluator.ts";
import { fillWithPast } from "./past.ts";
import { Outgoing } from "./receivers/outgoing.ts";
import type { Receiver } from "./receivers/receiver.ts";
import { Receivers } from "./receivers.ts";
import { type Rule, scopeOf } from "./rule.ts";
import { RuleQueries } from "./rule-queries.ts";
import { type Owner, ownKey, Rules, whoseOf } from "./rules.ts";
import { ServerMeasures } from "./server-measures.ts";
import { Silences } from "./silences.ts";
import { Windows } from "./windows.ts";

const DATABASE = "alerts.sqlite";
/** So many lines are told in the log at a time. */
const MOST_LINES = 20;
/** The log knows by the minute what it has lost, and is asked for no more than so many that went by unasked. */
const MINUTE_MS: Milliseconds = 60_000;
const MOST_MINUTES = 5;

/** Of so many functions an operator hears what a rule says, and the rest of their last tenant. */
const MOST_EVALUATIONS = 1000;

/** What is asked of the log. */
interface Log {
	query(query: LogQuery): Promise<LogResult>;
	rollups(query: RollupQuery): Promise<Rollup[]>;
}

export interface AlertsParts {
	store: Store;
	sealer: Sealer;
	config: AlertsConfig;
	/** Private places that tenants' receivers may be in. */
	allowEgress: string[];
	/** Where the admin API is, for people. */
	url: string;
	/** The folder whose disk is looked at, and that has the file of alerts. */
	folder: string;
	edges: () => Count;
	logs: Log;
	/** How much of their budgets tenants have used: 1 for all of one. */
	budgets?: () => Iterable<{ tenant: TenantName; ratio: number }>;
	registry: Registry;
	log: (level: "info" | "warn" | "error", message: string) => void;
	clock?: Clock;
}

/** Watches functions and the server by rules, and tells receivers of what goes wrong, and of when it is over. */
export class Alerts {
	readonly rules: Rules;
	readonly receivers: Receivers;
	readonly silences: Silences;
	readonly #parts: AlertsParts;
	readonly #clock: Clock;
	readonly #database: AlertDatabase;
	readonly #book: Book;
	readonly #windows: Windows;
	readonly #server: ServerMeasures;
	readonly #queries: RuleQueries;
	readonly #evaluator: Evaluator;
	readonly #outgoing: Outgoing;
	readonly #dispatcher: Dispatcher;
	readonly #outcomes: Counter<"outcome">;
	/** What the evaluation under way has changed, and what the log is told of that. */
	#writes: Write[] = [];
	#lines: string[] = [];
	/** Windows whose past is asked for. */
	readonly #missing = new Set<Milliseconds>();
	#backfilling: Promise<void> = Promise.resolve();
	#timer: NodeJS.Timeout | undefined;
	#tick: Promise<void> = Promise.resolve();
	/** Until when it is known what the log has lost: the end of a minute. */
	#lostUntil: EpochMs;
	/** How many receivers of whom fail. */
	#failing: ReadonlyMap<string, Count> = new Map();
	/** How much of its budget each tenant has used, in percent. */
	readonly #budgets = new Map<TenantName, number>();
	#closed = false;

	constructor(parts: AlertsParts) {
		const { store, sealer, config, log, registry } = parts;
		this.#parts = parts;
		const clock = parts.clock ?? machineClock();
		this.#clock = clock;
		this.#lostUntil = lastMinute(clock) - MINUTE_MS;
		const configured = configuredReceivers(config);
		this.rules = new Rules(store);
		this.#outgoing = new Outgoing(parts.allowEgress);
		this.receivers = new Receivers(store, sealer, {
			configured: new Set(configured.map(({ name }) => name)),
			refusalOf: (url) => this.#outgoing.refusalOf(url),
		});
		this.silences = new Silences(store);
		this.#database = AlertDatabase.open(`${parts.folder}/${DATABASE}`, (why) =>
			log("error", `${DATABASE} cannot be used (${why}), and is set aside: alerts begin anew`),
		);
		this.#book = new Book(store, configured, (document) => this.receivers.opened(document));
		this.#windows = new Windows(clock);
		this.#server = new ServerMeasures(clock);
		this.#dispatcher = new Dispatcher({
			...{ clock, book: this.#book, database: this.#database, outgoing: this.#outgoing, url: parts.url },
			visible: (owner) => this.#visible(owner),
			write: (writes) => this.#write(writes),
			onOutcome: (outcome, delivery) => this.#onOutcome(outcome, delivery),
		});
		this.#queries = new RuleQueries((query) => parts.logs.query(query), clock);
		this.#evaluator = new Evaluator(
			{
				...{ clock, book: this.#book, windows: this.#windows, server: this.#server },
				queries: this.#queries,
				ofTenant: (metric, tenant) =>
					metric === "receiversFailing" ? (this.#failing.get(tenant) ?? 0) : (this.#budgets.get(tenant) ?? null),
				others: () => [...this.#budgets.keys(), ...this.#failing.keys()],
				onTransition: (alert, transition) => this.#onTransition(alert, transition),
			},
			this.#database.read("alerts"),
		);
		this.#outcomes = new Counter({
			name: "atoll_alert_deliveries_total",
			help: "Notifications of alerts, by what became of them.",
			labelNames: ["outcome"],
			registers: [registry],
		});
		const alerts = this;
		new Gauge({
			name: "atoll_alerts",
			help: "Alerts that there are.",
			labelNames: ["state"],
			registers: [registry],
			collect() {
				const counts = { pending: 0, firing: 0 };
				for (const { state } of alerts.#evaluator.all()) if (state !== "resolved") counts[state]++;
				for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
			},
		});
	}

	/** Begins to evaluate. */
	start(): void {
		this.#next(0);
	}

	/** An edge has told what functions have done, and how it is. */
	measured(edge: object, tallies: readonly Tally[], stats: EdgeStats): void {
		this.#windows.add(tallies);
		this.#server.add(edge, stats);
	}

	/** An edge is gone. */
	gone(edge: object): void {
		this.#server.forget(edge);
	}

	#next(delay: Milliseconds): void {
		if (this.#closed) return;
		this.#timer = setTimeout(() => {
			this.#tick = this.evaluate().finally(() => this.#next(this.#parts.config.intervalMs));
		}, delay).unref();
	}

	/** Evaluates all rules, and has receivers be told of what came of that. Never rejects. */
	async evaluate(): Promise<void> {
		try {
			const isChanged = await this.#book.follow();
			if (isChanged) this.#reconsider();
			this.#failing = this.#dispatcher.failing();
			const receiversFailing = this.#failing.get("") ?? 0;
			const { folder, edges, budgets } = this.#parts;
			void this.#askForLost();
			this.#budgets.clear();
			for (const { tenant, ratio } of budgets?.() ?? [])
				this.#budgets.set(tenant, Math.max(100 * ratio, this.#budgets.get(tenant) ?? 0));
			await this.#server.sample({ edges: edges(), receiversFailing, folder });
			await this.#evaluator.evaluate();
			if (this.#closed) return;
			for (const write of await this.#dispatcher.plan()) this.#writes.push(write);
			if (this.#closed) return;
			this.#flush();
			this.#dispatcher.run();
		} catch (error) {
			if (!this.#closed) this.#parts.log("error", `alerts were not evaluated: ${String((error as Error).stack)}`);
		}
	}

	/** Hears once of each minute, after it, how much was lost before the log had it. */
	async #askForLost(): Promise<void> {
		const until = lastMinute(this.#clock);
		const since = Math.max(this.#lostUntil, until - MOST_MINUTES * MINUTE_MS);
		this.#lostUntil = until;
		if (since >= until) return;
		const of = { query: "", tenant: null, functions: null, limit: 1, cursor: null };
		try {
			this.#server.lost((await this.#parts.logs.query({ ...of, since, until })).lost);
		} catch {
			// Whoever asks the log for more is told, and what it loses meanwhile is in nobody's answer.
		}
	}

	/** Rules or receivers are others now. */
	#reconsider(): void {
		for (const window of this.#windows.use(this.#book.windows())) this.#missing.add(window);
		this.#evaluator.forget();
		// One window after the other, however often rules are changed.
		this.#backfilling = this.#backfilling.then(() => this.#backfill());
		for (const write of this.#dispatcher.reconsider()) this.#writes.push(write);
	}

	/** Has the windows know what was before this process began, as the log has it. */
	async #backfill(): Promise<void> {
		for (const window of [...this.#missing]) {
			this.#missing.delete(window);
			try {
				const rollups = (query: RollupQuery) => this.#parts.logs.rollups(query);
				await fillWithPast(window, { windows: this.#windows, clock: this.#clock, rollups });
			} catch (error) {
				// Until the window is full no alert is taken for over, and none comes of what is missing.
				if (!this.#closed) this.#parts.log("warn", `alerts begin without what was before: ${(error as Error).message}`);
			}
		}
	}

	#onTransition(alert: Alert, transition: Transition): void {
		const { id, tenant, function: name, rule, value, threshold } = alert;
		this.#writes.push({ table: "alerts", key: id, value: transition === "dropped" ? null : alert });
		if (transition !== "firing" && transition !== "resolved") return;
		this.#dispatcher.touch(tenant, "");
		const of = [tenant, name].filter((part) => part !== "").join("/") || "the server";
		this.#lines.push(
			transition === "firing"
				? `alert ${rule} of ${of} fires: ${shown(value)} (${threshold})`
				: `alert ${rule} of ${of} is over`,
		);
	}

	#onOutcome(outcome: DeliveryOutcome, { receiver, notification, error }: Delivery): void {
		if (notification.isRepeat && outcome === "delivered") return;
		this.#outcomes.inc({ outcome });
		if (outcome === "failed" || outcome === "dropped")
			this.#lines.push(`the receiver ${receiver} was not told of alerts: ${error ?? "too much waits for it"}`);
	}

	/** The alerts that receivers of a tenant hear of; those of the operator's, of all but what tenants have thought of. */
	*#visible(owner: string): Generator<Alert> {
		const isReplaced = ({ rule: name, origin }: Alert) => this.#book.isReplaced(owner, { name, origin });
		// What a tenant was told of before it had a rule of its own is over for it.
		const over = (alert: Alert): Alert => ({
			...alert,
			state: "resolved",
			endsAt: alert.endsAt ?? this.#clock.wall(),
		});
		if (owner !== "") for (const alert of this.#evaluator.of(owner)) yield isReplaced(alert) ? over(alert) : alert;
		else for (const alert of this.#evaluator.all()) if (alert.origin !== "tenant") yield alert;
	}

	/** Writes what has changed, and tells the log. */
	#flush(): void {
		const writes = this.#writes;
		this.#writes = [];
		this.#write(writes);
		const lines = [...new Set(this.#lines)];
		for (const line of lines.slice(0, MOST_LINES)) this.#parts.log("warn", line);
		const more = lines.length - MOST_LINES;
		if (more > 0) this.#parts.log("warn", `${more} more lines of alerts`);
		this.#lines = [];
	}

	#write(writes: readonly Write[]): void {
		if (this.#closed) return;
		try {
			this.#database.write(writes);
		} catch (error) {
			// All of it is known here still, and is written again when it changes.
			this.#parts.log("error", `${DATABASE} cannot be written: ${(error as Error).message}`);
		}
	}

	/** The alerts of a tenant, or of all; those that fire first, and of each the latest. */
	list(owner: Owner): Alert[] {
		const order = { firing: 0, pending: 1, resolved: 2 };
		const isSeen = ({ rule: name, origin }: Alert) => !this.#book.isReplaced(owner as TenantName, { name, origin });
		const all = owner === null ? [...this.#evaluator.all()] : [...this.#evaluator.of(owner)].filter(isSeen);
		return all.sort((a, b) => order[a.state] - order[b.state] || b.startsAt - a.startsAt);
	}

	/** The rules that hold for a tenant; or those of the operator and by default. */
	async rulesOf(owner: Owner): Promise<(Rule & { lastError: string | null })[]> {
		await this.#book.follow().then((isChanged) => isChanged && this.#reconsider());
		const rules =
			owner === null
				? this.#book.operatorRules()
				: this.#book.rulesOf(owner).filter((rule) => !this.#book.isReplaced(owner, rule));
		return rules.map((rule) => ({ ...rule, lastError: this.#evaluator.problemOf(owner ?? "", rule) }));
	}

	/** One of them. Throws ControlError `not_found`. */
	async rule(owner: Owner, name: string): Promise<Rule & { lastError: string | null }> {
		const found = (await this.rulesOf(owner)).find((rule) => rule.name === name);
		if (found === undefined)
			throw new ControlError("not_found", `${whoseOf(owner)} has no rule ${JSON.stringify(name)}`);
		return found;
	}

	/** Evaluates a rule now, without any alert. Throws ControlError `not_found`. */
	async testRule(owner: Owner, name: string): Promise<Evaluation[]> {
		const rule = await this.rule(owner, name);
		if (owner !== null) return this.#evaluator.test(rule, owner);
		if (scopeOf(rule) === "server") return this.#evaluator.test(rule, "");
		const found: Evaluation[] = [];
		for (const tenant of this.#book.tenants()) {
			const own = this.#book.rulesOf(tenant).find((one) => one.name === name && one.origin !== "tenant");
			if (own !== undefined) found.push(...(await this.#evaluator.test(own, tenant)));
			if (found.length >= MOST_EVALUATIONS) break;
		}
		return found;
	}

	/** What receivers of a tenant or of the operator were told lately, and are to be told. */
	deliveriesOf(owner: Owner): Delivery[] {
		return this.#dispatcher.of(owner ?? "");
	}

	/** The receivers that the server's settings name, without their secrets. */
	configured() {
		return [...this.#book.receiversOf("").values()]
			.filter(({ isConfigured }) => isConfigured)
			.map(({ key: _, owner: __, isConfigured: configured, address, ...told }) => {
				const { url, secret } = address();
				return { ...told, origin: new URL(url).origin, hasSecret: secret !== null, configured, changed: null };
			});
	}

	/** Tells a receiver that this is a test, once and now. Throws ControlError `not_found`. */
	async testReceiver(owner: Owner, name: string): Promise<{ status: number | null; error: string | null }> {
		const configured = this.#book.receiver(ownKey(owner, name));
		const receiver = configured?.isConfigured
			? configured
			: this.receivers.opened((await this.receivers.find(owner, name)).value);
		return this.#dispatcher.test(receiver);
	}

	async close(): Promise<void> {
		clearTimeout(this.#timer);
		this.#dispatcher.stop();
		this.#queries.stop();
		this.#closed = true;
		await this.#tick;
		this.#database.close();
		await this.#outgoing.close();
	}
}

/** When the last whole minute has ended. */
const lastMinute = (clock: Clock): EpochMs => clock.wall() - (clock.wall() % MINUTE_MS);

function configuredReceivers({ receivers }: AlertsConfig): Receiver[] {
	return Object.entries(receivers).map(([name, { url, secret = null, ...settings }]) => {
		const address = () => ({ url, secret });
		return { ...settings, key: ownKey(null, name), owner: null, name, isConfigured: true, address };
	});
}
