import type { Scope, SeenRequest } from "../../feed/messages.ts";
import type { LogEntry } from "../../logs/calls.ts";
import { Matcher } from "../../logs/query/matches.ts";
import type { FunctionName, TenantName } from "../../names.ts";
import type { InvocationRecord, LogLine, SeenEvent } from "../../observe/record.ts";
import type { Count } from "../../units.ts";
import { ControlError } from "../control-error.ts";
import type { Watcher } from "../feed/feed.ts";
import { TailSession } from "../tails/tail-session.ts";
import { parsedQuery } from "./parsed-query.ts";
import { SharedBudget, StepBudget } from "./step-budget.ts";

/**
 * Texts that are looked for cost what their letters and those of what was logged make, at most: so many steps a second
 * are one reader's, a few milliseconds, and so many all readers'.
 */
const MOST_STEPS: Count = 10_000_000;
const all = new SharedBudget(100_000_000);
/** A letter that is looked at at all costs as many, each condition so many, and for each line so many. */
const STEPS_OF_LETTER: Count = 8;
const STEPS_OF_CONDITION: Count = 200;
const STEPS_OF_LINE: Count = 20;

/** What is followed. */
export interface Followed {
	scope: Scope;
	/** Those that the asker may see; `null` for all. */
	functions: readonly FunctionName[] | null;
	query: string;
}

/** Who follows it. */
export interface FollowReader {
	send(entry: LogEntry): void;
	leftOut(count: Count): void;
}

/**
 * Shows entries of the log that a query asks for, from now on. Throws ControlError `invalid` for one that groups or makes
 * no sense.
 */
export class FollowSession implements Watcher {
	readonly scope: Scope;
	readonly origins = false;
	/** Empty where all tenants are followed. */
	readonly #tenant: TenantName | "";
	readonly #functions: readonly FunctionName[] | null;
	readonly #matcher: Matcher;
	readonly #reader: FollowReader;
	/** Puts records and lines together. */
	readonly #tail: TailSession;
	readonly #budget = new StepBudget(MOST_STEPS);

	constructor({ scope, functions, query }: Followed, reader: FollowReader) {
		this.scope = scope;
		[this.#tenant] = scope.split("/");
		this.#functions = functions;
		this.#matcher = matcherOf(query);
		this.#reader = reader;
		this.#tail = new TailSession(
			{ scope, filters: [], origins: false },
			{
				onInvocation: ({ record, lines }) => this.#onEntry({ time: Date.parse(record.time), record, lines }),
				onStray: (line) => this.#onEntry({ time: Date.parse(line.time), record: null, lines: [line] }),
				onLeftOut: (count) => reader.leftOut(count),
			},
		);
	}

	onRecord(record: InvocationRecord, request: SeenRequest | null, event: SeenEvent | null): void {
		if (this.#sees(record)) this.#tail.onRecord(record, request, event);
	}

	onLine(line: LogLine): void {
		if (this.#sees(line)) this.#tail.onLine(line);
	}

	onLeftOut(count: Count): void {
		this.#tail.onLeftOut(count);
	}

	#sees({ function: name }: InvocationRecord | LogLine): boolean {
		return this.#functions?.includes(name) ?? true;
	}

	#onEntry(entry: LogEntry): void {
		const steps = stepsOf(this.#matcher, entry);
		if (!this.#budget.takes(steps) || !all.takes(this.#tenant, steps)) this.#reader.leftOut(1);
		else if (this.#matcher.matches(entry, Date.now())) this.#reader.send(entry);
	}
}

function stepsOf({ letters, conditions }: Matcher, { record, lines }: LogEntry): Count {
	const there = lines.reduce((sum, { message }) => sum + message.length, record?.url.length ?? 0);
	const ofTexts = letters === 0 ? 0 : there * (letters + STEPS_OF_LETTER);
	return ofTexts + conditions * (STEPS_OF_CONDITION + STEPS_OF_LINE * lines.length);
}

function matcherOf(query: string): Matcher {
	const { filter, grouping } = parsedQuery(query);
	if (grouping === null) return new Matcher(filter);
	throw new ControlError("invalid", "query: groups cannot be followed, entries can");
}
