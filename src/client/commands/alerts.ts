import { readFileSync } from "node:fs";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, fromInput, listing, progress, say, table } from "../command.ts";

interface AlertOptions extends ClientOptions {
	operator?: boolean;
	kind?: string;
	url?: string;
	matcher?: string[];
	for?: string;
	comment?: string;
	secret?: boolean;
	settings?: string;
}

interface AlertInfo {
	rule: string;
	tenant: string;
	function: string;
	state: string;
	since: string;
	value: number | null;
	threshold: string;
	severity: string;
}
interface RuleInfo {
	name: string;
	origin: string;
	metric?: string;
	query?: string;
	functions: string;
	window: string;
	for: string;
	above?: number;
	below?: number;
	severity: string;
	enabled: boolean;
	lastError: string | null;
}
interface ReceiverInfo {
	name: string;
	kind: string;
	origin: string;
	matchers: string[];
	enabled: boolean;
}
interface DeliveryInfo {
	created: string;
	receiver: string;
	state: string;
	attempts: number;
	next: string | null;
	notification: string;
	alerts: number;
	status: number | null;
	error: string | null;
}
interface SilenceInfo {
	id: string;
	matchers: string[];
	from: string;
	until: string;
	by: string;
	comment: string;
}
interface EvaluationInfo {
	tenant: string;
	function: string;
	value: number | null;
	requests: number | null;
	verdict: string;
}

const numberOf = (value: number | null) => (value === null ? "-" : String(Number(value.toPrecision(4))));
const subjectOf = ({ tenant, function: name }: { tenant: string; function: string }) =>
	[tenant, name].filter((part) => part !== "").join("/") || "the server";

/** Whose: a tenant's, or the operator's own. */
const ownerPath = ({ operator, tenant }: AlertOptions) => (operator ? "" : `/tenants/${encodeURIComponent(tenant)}`);
const named = (name: string | undefined, what: string): string => {
	if (name === undefined) throw new ClientError(`which ${what}? give its name`, Exit.usage);
	return encodeURIComponent(name);
};

/** `atoll alerts` */
export async function alerts(
	what: string,
	action: string | undefined,
	name: string | undefined,
	options: AlertOptions,
): Promise<void> {
	if (what === "list") await list(options);
	else if (what === "deliveries") await deliveries(options);
	else if (what === "rule") await rule(action ?? "list", name, options);
	else if (what === "receiver") await receiver(action ?? "list", name, options);
	else await silence(action ?? "list", name, options);
}

const unknown = (what: string, action: string, actions: string) =>
	new ClientError(`atoll alerts ${what} ${action}: it is ${actions}`, Exit.usage);

async function list(options: AlertOptions): Promise<void> {
	const all = await clientOf(options).get<AlertInfo[]>(`${ownerPath(options)}/alerts`);
	const rows = all.map((one) => [
		...[one.state, one.severity, one.rule, subjectOf(one)],
		...[one.value === null ? "-" : String(Number(one.value.toFixed(2))), one.threshold, one.since],
	]);
	const names = ["STATE", "SEVERITY", "RULE", "OF", "VALUE", "THRESHOLD", "SINCE"];
	say(options, all, () => listing(names, rows, "there are no alerts"));
}

async function deliveries(options: AlertOptions): Promise<void> {
	const all = await clientOf(options).get<DeliveryInfo[]>(`${ownerPath(options)}/alert-deliveries`);
	const rows = all.map((one) => [
		...[one.created, one.receiver, `${one.notification} (${one.alerts})`, one.state, String(one.attempts)],
		...[one.error ?? String(one.status ?? "-"), one.next ?? "-"],
	]);
	const names = ["TIME", "RECEIVER", "ALERTS", "STATE", "ATTEMPTS", "ANSWER", "NEXT"];
	say(options, all, () => listing(names, rows, "nobody was told of anything"));
}

async function rule(action: string, name: string | undefined, options: AlertOptions): Promise<void> {
	const client = clientOf(options);
	const path = `${ownerPath(options)}/alert-rules`;
	if (action === "list") {
		const all = await client.get<RuleInfo[]>(path);
		const rows = all.map((one) => [
			...[one.name, one.enabled ? one.origin : "off", `${one.query ?? one.metric} ${thresholdOf(one)}`],
			...[one.functions, one.window, one.for, one.severity, one.lastError ?? ""],
		]);
		const names = ["RULE", "BY", "WHEN", "FUNCTIONS", "WINDOW", "FOR", "SEVERITY", "ERROR"];
		say(options, all, () => listing(names, rows, "there are no rules"));
		return;
	}
	const own = `${path}/${named(name, "rule")}`;
	if (action === "get") {
		const one = await client.get<object>(own);
		say(options, one, () => JSON.stringify(one, null, 2));
	} else if (action === "set") {
		if (options.settings === undefined) throw new ClientError("what is it to say? --settings FILE", Exit.usage);
		const made = await client.ask<RuleInfo>("PUT", own, fileOf(options.settings));
		say(options, made, () => `there is an alert where ${made.query ?? made.metric} is ${thresholdOf(made)}`);
		const receivers = await client.get<ReceiverInfo[]>(`${ownerPath(options)}/receivers`);
		if (receivers.length === 0)
			progress(options, `nobody is told of it yet: ${whoseReceivers(options)} are none (atoll alerts receiver set)`);
	} else if (action === "test") {
		const all = await client.ask<EvaluationInfo[]>("POST", `${own}/test`, {});
		const rows = all.map((one) => [subjectOf(one), numberOf(one.value), numberOf(one.requests), one.verdict]);
		say(options, all, () => listing(["OF", "VALUE", "REQUESTS", "VERDICT"], rows, "it looks at nothing now"));
	} else if (action === "remove") {
		await client.ask("DELETE", own);
		say(options, {}, () => `the rule ${name} is removed`);
	} else throw unknown("rule", action, "list, get, set, test or remove");
}

/** A tenant's alerts are told to its own receivers, and the operator's rules to the operator's. */
const whoseReceivers = ({ operator, tenant }: AlertOptions) =>
	operator ? "the operator's receivers" : `the receivers of ${tenant ?? "the tenant"} (the operator's: --operator)`;

const thresholdOf = ({ above, below }: RuleInfo) => (above !== undefined ? `> ${above}` : `< ${below}`);

async function receiver(action: string, name: string | undefined, options: AlertOptions): Promise<void> {
	const client = clientOf(options);
	const path = `${ownerPath(options)}/receivers`;
	if (action === "list") {
		const all = await client.get<ReceiverInfo[]>(path);
		const rows = all.map((one) => [
			...[one.name, one.kind, one.origin, one.matchers.join(", ") || "all"],
			one.enabled ? "on" : "off",
		]);
		say(options, all, () =>
			listing(
				["RECEIVER", "KIND", "AT", "ALERTS", "STATE"],
				rows,
				"nobody is told of alerts: atoll alerts receiver set adds a receiver",
			),
		);
		return;
	}
	const own = `${path}/${named(name, "receiver")}`;
	if (action === "set") {
		const { kind, url, matcher, settings, secret } = options;
		const given = {
			...(settings !== undefined && (fileOf(settings) as object)),
			...{ kind, url, matchers: matcher },
			...(secret && { secret: await fromInput(`the secret of ${name}`) }),
		};
		const made = await client.ask<ReceiverInfo>("PUT", own, JSON.parse(JSON.stringify(given)));
		say(options, made, () =>
			table([
				["receiver", made.name],
				["kind", made.kind],
				["at", made.origin],
			]),
		);
	} else if (action === "test") {
		const { status, error } = await client.ask<{ status: number | null; error: string | null }>(
			"POST",
			`${own}/test`,
			{},
		);
		if (error !== null) throw new ClientError(`${name} was not told: ${error}`, Exit.refused);
		say(options, { status, error }, () => `${name} was told, and answered ${status}`);
	} else if (action === "remove") {
		await client.ask("DELETE", own);
		say(options, {}, () => `${name} is told of no more alerts`);
	} else throw unknown("receiver", action, "list, set, test or remove");
}

async function silence(action: string, id: string | undefined, options: AlertOptions): Promise<void> {
	const client = clientOf(options);
	const path = `${ownerPath(options)}/silences`;
	if (action === "list") {
		const all = await client.get<SilenceInfo[]>(path);
		const rows = all.map((one) => [one.id, one.matchers.join(", "), one.from, one.until, one.by, one.comment]);
		const names = ["SILENCE", "ALERTS", "FROM", "UNTIL", "BY", "COMMENT"];
		say(options, all, () => listing(names, rows, "there are no silences"));
	} else if (action === "add") {
		const { matcher, comment = "" } = options;
		if (matcher === undefined) throw new ClientError("of which alerts? --matcher function=shop", Exit.usage);
		const until = new Date(Date.now() + millisecondsOf(options.for ?? "1h")).toISOString();
		const made = await client.ask<SilenceInfo>("POST", path, { matchers: matcher, until, comment });
		say(options, made, () => `${made.id}: ${whoseReceivers(options)} are told nothing of these until ${made.until}`);
	} else if (action === "remove") {
		await client.ask("DELETE", `${path}/${named(id, "silence")}`);
		say(options, {}, () => `the silence ${id} is over`);
	} else throw unknown("silence", action, "list, add or remove");
}

function millisecondsOf(duration: string): number {
	const [, number, unit] = /^(\d{1,6})([smhd])$/.exec(duration) ?? [];
	if (unit === undefined) throw new ClientError("--for must be a number with s, m, h or d, as 2h", Exit.usage);
	return Number(number) * ({ s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 }[unit] as number);
}

function fileOf(path: string): unknown {
	try {
		return JSON.parse(readFileSync(path === "-" ? 0 : path, "utf8"));
	} catch (error) {
		throw new ClientError(`${path} cannot be read as JSON: ${(error as Error).message}`, Exit.usage);
	}
}
