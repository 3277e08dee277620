import type { LogQuery, LogResult } from "../../../logs/calls.ts";
import { FIELDS } from "../../../logs/query/fields.ts";
import { MOST_LETTERS, parseQuery } from "../../../logs/query/parser.ts";
import { isFailure } from "../../../observe/faas.ts";
import type { Control } from "../../control.ts";
import { ControlError } from "../../control-error.ts";
import { unknownNames } from "../../observe/unknown-names.ts";
import { askedTenant } from "../asked-tenant.ts";
import { entryList, FAILING } from "../entries.ts";
import { bytes, count, time } from "../format.ts";
import { type Html, html, raw, verbatim } from "../html.ts";
import { table, type View } from "../layout.ts";
import { histogram } from "../log-histogram.ts";
import type { Asked, Pages } from "../pages.ts";
import { WINDOWS, type WindowName, windowOf } from "../traffic.ts";

/** So many entries are on one page, and so many rows of a table. */
const ON_PAGE = 50;
const MOST_ROWS = 1000;
/** In how many bars what was found is shown over time. */
const BARS = { "15m": "15s", "1h": "1m", "24h": "30m", "7d": "3h" } as const;

/** What the log is asked on a page. */
interface Wanted {
	text: string;
	tenant: string;
	window: WindowName;
	cursor: string | null;
}

export function addLogs(pages: Pages, { logs, store }: Control): void {
	pages.get("/logs", async (asked) => {
		const { c } = asked;
		const tenant = askedTenant(asked) ?? "";
		const text = (c.req.query("q") ?? c.req.query("query") ?? "").slice(0, MOST_LETTERS + 1);
		const wanted: Wanted = {
			text,
			tenant,
			window: windowOf(c.req.query("window")),
			cursor: c.req.query("cursor") ?? null,
		};
		const query = queryOf(asked, wanted);
		try {
			return logsView(asked, wanted, await found({ logs, store }, query, wanted));
		} catch (error) {
			if (!(error instanceof ControlError) || error.code !== "invalid") throw error;
			c.status(400);
			return logsView(asked, wanted, html`<p class="problem" role="alert" id="problem">${error.message}</p>`);
		}
	});
}

/** Whatever is written in the query, only what the token allows is looked through. */
function queryOf({ bearer }: Asked, { text, tenant, window, cursor }: Wanted): LogQuery {
	const until = Date.now() + 1;
	const { functions } = bearer.grant;
	return {
		query: text,
		...{ tenant: tenant === "" ? null : tenant, functions },
		...{ since: until - WINDOWS[window].length, until, cursor },
		limit: isGrouping(text) ? MOST_ROWS : ON_PAGE,
	};
}

function isGrouping(text: string): boolean {
	try {
		return parseQuery(text).grouping !== null;
	} catch {
		return false; // The log says what is wrong with it.
	}
}

async function found({ logs, store }: Pick<Control, "logs" | "store">, query: LogQuery, wanted: Wanted): Promise<Html> {
	const result = await logs.query(query);
	const unknown = await unknownNames(store, query, result);
	if (result.columns.length > 0) return html`${told(result, unknown)}${groups(result)}`;
	const older =
		result.cursor !== null &&
		html`<nav class="pager" aria-label="Pages"><a href="${pathOf({ ...wanted, cursor: result.cursor })}">Older</a></nav>`;
	return html`${wanted.cursor === null && (await overTime(logs, query, wanted))}
${told(result, unknown)}
${entryList("Entries, the latest first", result.entries, { named: true })}
${older}`;
}

async function overTime(logs: Control["logs"], query: LogQuery, { window }: Wanted): Promise<Html> {
	const bar = BARS[window];
	const { rows } = await logs.query({ ...query, query: `${query.query} | count by ${bar}, outcome`, limit: MOST_ROWS });
	const steps = rows.map(([at, outcome, times]) => ({
		at: timeIn(at),
		count: Number(times),
		bad: isFailure(String(outcome ?? "ok")),
	}));
	return histogram(steps, { since: query.since, until: query.until, bar });
}

/** A step's time is told as a number or as text. */
const timeIn = (at: string | number | null) => (typeof at === "number" ? at : Date.parse(String(at)));

function told({ whole, lost, read }: LogResult, unknown: readonly string[]): Html {
	const notes = [
		!whole && "The query was ended at its bounds: what is older was not looked through.",
		lost > 0 && `${count(lost)} records and lines of this time were lost before they were stored.`,
		...unknown.map((one) => `${one[0].toUpperCase()}${one.slice(1)}.`.replace("?.", "?")),
	].filter((note) => note !== false);
	return html`<p class="note">Looked through ${count(read.entries)} entries, ${bytes(read.bytes)}.${notes.length > 0 && html` <b class="warn">${notes.join(" ")}</b>`}</p>`;
}

function groups({ columns, rows }: LogResult): Html {
	const cell = (value: string | number | null, column: string) =>
		column === "time" && value !== null
			? html`<td>${time(timeIn(value))}</td>`
			: typeof value === "number"
				? html`<td class="number">${Number.isInteger(value) ? count(value) : value.toPrecision(4)}</td>`
				: html`<td>${(value ?? "–").slice(0, 500)}</td>`;
	return table(
		"Groups",
		columns,
		rows.map((row) => html`<tr>${row.map((value, i) => cell(value, columns[i]))}</tr>`),
	);
}

function pathOf({ text, tenant, window, cursor }: Wanted): string {
	return `/logs?${new URLSearchParams({ q: text, tenant, window, ...(cursor !== null && { cursor }) })}`;
}

/** The page of a query, for links of others. */
export function logsPath(tenant: string, text: string, window: WindowName = "1h"): string {
	return pathOf({ tenant, text, window, cursor: null });
}

const EXAMPLES = [
	["all that failed", FAILING],
	["slow", "wallMs>500"],
	["cold starts", "cold:true"],
	["lines of errors", "level:error"],
	["by outcome", "| count, p50(wallMs), p99(wallMs) by function, outcome"],
	["the busiest functions", "| count, sum(cpuMs) by function | top 10 by sum(cpuMs)"],
] as const;

function logsView({ bearer }: Asked, wanted: Wanted, body: Html): View {
	const { text, tenant, window } = wanted;
	const whose =
		bearer.tenant === null
			? html`<label for="tenant">Tenant</label><input id="tenant" name="tenant" value="${verbatim(tenant)}" placeholder="all" size="10">`
			: html`<span class="note">of ${tenant}</span>`;
	return {
		title: "Logs",
		section: "/logs",
		body: html`<form class="bar" method="get" action="/logs" role="search">
<label for="q" class="unseen">Query</label>
<input id="q" name="q" class="query mono" value="${verbatim(text)}" placeholder='outcome:exception cpuMs&gt;50 "text"   /' data-search spellcheck="false" autocomplete="off">
${whose}
<label for="window">Within</label>
<select id="window" name="window" data-submits>${Object.entries(WINDOWS).map(([key, { name }]) => html`<option value="${key}"${key === window && raw(" selected")}>${name}</option>`)}</select>
<button class="main">Search</button>
</form>
<p class="examples">${EXAMPLES.map(([name, query]) => html`<a href="${pathOf({ ...wanted, text: query, cursor: null })}">${name}</a> `)}</p>
${help()}
${body}`,
	};
}

function help(): Html {
	return html`<details><summary>The language of queries</summary>
<p>Conditions stand beside one another, and all must be so; <code>OR</code>, <code>NOT</code> (or <code>-</code>) and parentheses as usual.
A field is compared by <code>:</code> <code>!=</code> <code>&lt;</code> <code>&lt;=</code> <code>&gt;</code> <code>&gt;=</code>; <code>*</code> at the end of a value stands for anything;
text in quotes is looked for in URLs and lines. Behind a bar stand numbers and what they are told apart by: <code>| count, p99(wallMs) by function, 5m | top 10</code>.</p>
<p>Fields: ${[...FIELDS.keys()].map((name) => html`<code>${name}</code> `)}and <code>level</code> <code>message</code> <code>exceeded</code> <code>since</code> <code>until</code>.
Times are <code>50ms</code>, <code>2s</code>, <code>5m</code>; sizes <code>64kb</code>, <code>5mb</code>.</p></details>`;
}
