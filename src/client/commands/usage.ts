import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, listing, say } from "../command.ts";

interface PeriodOptions extends ClientOptions {
	month?: string;
	csv?: boolean;
}

interface UsageOptions extends PeriodOptions {
	allTenants?: boolean;
	from?: string;
	to?: string;
	by: string;
}

interface Row {
	key: string;
	requests: number;
	cpuMs: number;
	gbSeconds: number;
	provisionedGbSeconds: number;
	bytesOut: number;
	bindingCalls: number;
	coldStarts: number;
}

interface UsageAnswer {
	from: string;
	to: string;
	by: string;
	rows: Row[];
	more: boolean;
}

interface Invoice {
	month: string;
	currency: string;
	lines: {
		unit: string;
		from: number;
		upTo: number | null;
		quantity: number;
		price: string;
		per: number;
		amount: string;
	}[];
	functions: { name: string; requests: number; amount: string }[];
	total: string;
}

interface Limits {
	requestsPerDay: number | null;
	requestsPerMonth: number | null;
	cpuMsPerDay: number | null;
	cpuMsPerMonth: number | null;
	amountPerMonth: string | null;
	warnAt: number;
}

interface Budget {
	budget: Limits | null;
	balance: { credited: string; spent: string; left: string } | null;
	currency: string | null;
	states: {
		budget: string;
		period: string;
		limit: number | string;
		used: number | string;
		ratio: number;
		state: string;
	}[];
	refused: { code: string; until: number | null } | null;
}

interface BudgetOptions extends ClientOptions {
	requestsPerDay?: number | "none";
	requestsPerMonth?: number | "none";
	cpuMsPerDay?: number | "none";
	cpuMsPerMonth?: number | "none";
	amountPerMonth?: string;
	warnAt?: number;
}

const tenantPath = ({ tenant }: ClientOptions) => `/tenants/${encodeURIComponent(tenant)}`;

/** Whole numbers with their thousands apart, others with a few digits. */
function shown(value: number): string {
	return value.toLocaleString("en", { maximumFractionDigits: Number.isInteger(value) ? 0 : 3 }).replaceAll(",", " ");
}

function withQuery(path: string, query: Record<string, string | undefined>): string {
	const given = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined);
	return `${path}?${new URLSearchParams(given)}`;
}

/** `atoll usage` */
export async function usage(options: UsageOptions): Promise<void> {
	const { month, csv, allTenants, by } = options;
	if (month !== undefined && (options.from !== undefined || options.to !== undefined))
		throw new ClientError("--month says from when and to when by itself", Exit.usage);
	const from = month === undefined ? options.from : `${month}-01`;
	const to = month === undefined ? options.to : lastDayOf(month);
	const path = allTenants ? "/usage" : `${tenantPath(options)}/usage`;
	const client = clientOf(options);
	if (csv) {
		// Page by page, as one file.
		let after: string | undefined;
		do {
			const response = await client.send("GET", withQuery(path, { from, to, by, after, format: "csv" }));
			const text = await response.text();
			process.stdout.write(after === undefined ? text : text.slice(text.indexOf("\n") + 1));
			after = response.headers.get("x-atoll-after") ?? undefined;
		} while (after !== undefined);
		return;
	}
	const rows: Row[] = [];
	let answer: UsageAnswer;
	do {
		answer = await client.get<UsageAnswer>(withQuery(path, { from, to, by, after: rows.at(-1)?.key }));
		rows.push(...answer.rows);
	} while (answer.more);
	say(options, { from: answer.from, to: answer.to, by, rows }, () =>
		listing(
			[by.toUpperCase(), "REQUESTS", "CPU MS", "GB-S", "READY GB-S", "BYTES OUT", "BINDING CALLS", "COLD STARTS"],
			rows.map((row) => [
				row.key,
				...[row.requests, row.cpuMs, row.gbSeconds, row.provisionedGbSeconds].map(shown),
				...[row.bytesOut, row.bindingCalls, row.coldStarts].map(shown),
			]),
			`nothing was used from ${answer.from} to ${answer.to}`,
		),
	);
}

/** The last day of a month, or what is said of it where it is none: the server tells what is wrong. */
function lastDayOf(month: string): string {
	const [year, number] = month.split("-").map(Number);
	const last = new Date(Date.UTC(year, number, 0));
	return Number.isNaN(last.getTime()) ? `${month}-31` : last.toISOString().slice(0, 10);
}

/** `atoll invoice` */
export async function invoice(options: PeriodOptions): Promise<void> {
	const { month, csv } = options;
	const client = clientOf(options);
	const path = `${tenantPath(options)}/invoice`;
	if (csv) {
		process.stdout.write(await (await client.send("GET", withQuery(path, { month, format: "csv" }))).text());
		return;
	}
	const told = await client.get<Invoice>(withQuery(path, { month }));
	const { currency, lines, functions, total } = told;
	say(options, told, () =>
		[
			listing(
				["UNIT", "FROM", "UP TO", "QUANTITY", "PRICE", "AMOUNT"],
				lines.map((line) => [
					...[line.unit, shown(line.from), line.upTo === null ? "" : shown(line.upTo), shown(line.quantity)],
					...[line.per === 1 ? line.price : `${line.price} for ${shown(line.per)}`, line.amount],
				]),
				"nothing was used that has a price",
			),
			listing(
				["FUNCTION", "REQUESTS", "AMOUNT"],
				functions.map((one) => [one.name, shown(one.requests), one.amount]),
				"",
			),
			`${options.tenant} in ${told.month}: ${total} ${currency}`,
		]
			.filter((part) => part !== "")
			.join("\n\n"),
	);
}

/** `atoll budget` */
export async function budget(options: BudgetOptions): Promise<void> {
	const client = clientOf(options);
	const path = `${tenantPath(options)}/budget`;
	const { requestsPerDay, requestsPerMonth, cpuMsPerDay, cpuMsPerMonth, amountPerMonth, warnAt } = options;
	const given = { requestsPerDay, requestsPerMonth, cpuMsPerDay, cpuMsPerMonth, amountPerMonth };
	const changes = Object.entries(given).filter(([, value]) => value !== undefined);
	let told = await client.get<Budget>(path);
	if (changes.length > 0 || warnAt !== undefined) {
		const limits = Object.fromEntries(changes.map(([name, value]) => [name, value === "none" ? null : value]));
		const next = { ...told.budget, ...limits, ...(warnAt !== undefined && { warnAt: warnAt / 100 }) };
		told = await client.ask<Budget>("PUT", path, next);
	}
	say(options, told, () => linesOf(told, options));
}

function linesOf({ states, balance, currency, refused }: Budget, { tenant }: ClientOptions): string {
	const table = listing(
		["BUDGET", "PERIOD", "USED", "LIMIT", "", "STATE"],
		states.map(({ budget: name, period, used, limit, ratio, state }) => [
			...[name, name === "balance" ? "" : period, String(used), String(limit), `${Math.floor(ratio * 100)} %`, state],
		]),
		`the tenant ${tenant} may use as much as it likes`,
	);
	const left = balance === null ? "" : `\n${balance.left} ${currency} of ${balance.credited} are left`;
	const until = refused?.until ?? null;
	const why =
		refused === null
			? ""
			: `\nits functions are refused (${refused.code})${until === null ? "" : ` until ${new Date(until).toISOString()}`}`;
	return `${table}${left}${why}`;
}

/** `atoll balance` */
export async function balance(
	action: string,
	tenant: string,
	amount: string | undefined,
	options: ClientOptions & { reference?: string },
): Promise<void> {
	const client = clientOf(options);
	const path = tenantPath({ tenant });
	if (action === "add" && amount === undefined)
		throw new ClientError("how much? atoll balance add TENANT AMOUNT, as 10.00", Exit.usage);
	const { reference } = options;
	const told =
		action === "add"
			? await client.ask<Budget>("POST", `${path}/balance`, { amount, reference })
			: await client.get<Budget>(`${path}/budget`);
	say(options, told.balance, () =>
		told.balance === null
			? `the tenant ${tenant} pays for nothing ahead`
			: `${told.balance.left} ${told.currency} are left of ${told.balance.credited}; ${told.balance.spent} are spent`,
	);
}
