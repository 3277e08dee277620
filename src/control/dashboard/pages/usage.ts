import { type Day, dayOf } from "../../../feed/usage.ts";
import { functionOfKey, type TenantName } from "../../../names.ts";
import type { Control } from "../../control.ts";
import { daysOf, MONTH, monthFrom, monthOf } from "../../metering/months.ts";
import { type UsageQuery, type UsageRow, usageReport } from "../../metering/usage-report.ts";
import type { Bearer } from "../../tokens.ts";
import { askedTenant } from "../asked-tenant.ts";
import { chart } from "../chart.ts";
import { bytes, count, duration, facts } from "../format.ts";
import { pathOf } from "../function-index.ts";
import { type Html, html, type Part, raw } from "../html.ts";
import { table, type View } from "../layout.ts";
import type { Pages } from "../pages.ts";

/** So many rows are shown of each table. */
const MOST_ROWS = 500;
const MONTHS_OFFERED = 12;

type Report = Awaited<ReturnType<typeof usageReport>>;

export function addUsage(pages: Pages, { metering, budgets }: Control): void {
	pages.get("/usage", async (asked) => {
		const { c, bearer } = asked;
		const now = monthOf(dayOf(Date.now()));
		const month = MONTH.test(c.req.query("month") ?? "") ? (c.req.query("month") as string) : now;
		const tenant = askedTenant(asked);
		if (tenant === null) bearer.requireAll("read");
		const { from, to } = daysOf(month);
		// What edges have told up to now is in it.
		await metering.fresh();
		const report = (by: UsageQuery["by"]) => {
			const { functions } = bearer.grant;
			const query: UsageQuery = { tenant, from, to, by, functions, after: "", most: MOST_ROWS };
			return metering.reports.make(bearer.tenant, () => usageReport(metering.store, query));
		};
		const body =
			tenant === null
				? tableOf("Tenants", await report("tenant"), (key) => html`<a href="${usagePath(key, month)}">${key}</a>`)
				: await ofTenant(bearer, tenant, { report, budgets, from });
		return usageView({ tenant, month, now, isForAll: bearer.tenant === null }, body);
	});
}

interface OfTenant {
	report: (by: UsageQuery["by"]) => Promise<Report>;
	budgets: Control["budgets"];
	from: Day;
}

async function ofTenant(bearer: Bearer, tenant: TenantName, { report, budgets, from }: OfTenant): Promise<Html> {
	const byFunction = tableOf("Functions", await report("function"), (key) => {
		const id = functionOfKey(key);
		return html`<a href="${pathOf(id)}">${id.name}</a>`;
	});
	// Days and budgets are of all of a tenant's functions.
	if (bearer.grant.functions !== null) return html`<h2>By function</h2>${byFunction}`;
	const { currency, balance, states, refused } = await budgets.told(tenant);
	const days = (await report("day")).rows;
	const rows = states.map(
		({ budget, period, used, limit, ratio, state }) =>
			html`<tr><th scope="row">${budget}</th><td>${period}</td><td class="number">${used}</td><td class="number">${limit}</td><td class="number${state !== "ok" && raw(" bad")}">${Math.round(ratio * 100)} %</td><td>${state}</td></tr>`,
	);
	const head: Part[] = [
		"Budget",
		"Of",
		html`<span class="number">Used</span>`,
		html`<span class="number">Of at most</span>`,
	];
	return html`${refused !== null && html`<p class="problem" role="alert">Its functions do not run: ${refused.code}.</p>`}
${
	balance !== null &&
	facts([
		["Paid", `${balance.credited} ${currency ?? ""}`],
		["Spent", `${balance.spent} ${currency ?? ""}`],
		["Left", `${balance.left} ${currency ?? ""}`],
	])
}
<h2>Budgets</h2>
${table("Budgets", [...head, html`<span class="number">Part</span>`, "State"], rows, "It may use as much as it likes.")}
<div class="charts">${chartsOf(days, from)}</div>
<h2>By function</h2>
${byFunction}
<h2>By day</h2>
${tableOf("Days", { rows: days.toReversed(), more: false }, (key) => key)}`;
}

function chartsOf(days: readonly UsageRow[], from: Day): Html[] {
	const known = new Map(days.map((row) => [row.key, row]));
	const times: number[] = [];
	const last = Date.parse(days.at(-1)?.key ?? from);
	for (let at = Date.parse(from); at <= last; at += 86_400_000) times.push(at);
	const each = (read: (row: UsageRow) => number) =>
		times.map((at) => {
			const row = known.get(dayOf(at));
			return row === undefined ? 0 : read(row);
		});
	const one = (title: string, unit: "count" | "seconds" | "bytes", name: string, read: (row: UsageRow) => number) =>
		chart({ title, unit, times, series: [{ name, values: each(read) }] });
	return [
		one("Requests a day", "count", "requests", (row) => row.requests),
		one("CPU a day", "seconds", "CPU", (row) => row.cpuMs / 1000),
		one("Sent a day", "bytes", "sent", (row) => row.bytesOut),
	];
}

function tableOf(label: string, { rows, more }: Report, name: (key: string) => Part): Html {
	const numbers = ["Requests", "CPU", "GB s", "Provisioned GB s", "Sent", "Binding calls", "Cold starts"];
	const body = rows.map(
		(row) =>
			html`<tr><th scope="row">${name(row.key)}</th><td class="number">${count(row.requests)}</td><td class="number">${duration(row.cpuMs / 1000)}</td><td class="number">${row.gbSeconds.toFixed(2)}</td><td class="number">${row.provisionedGbSeconds.toFixed(2)}</td><td class="number">${bytes(row.bytesOut)}</td><td class="number">${count(row.bindingCalls)}</td><td class="number">${count(row.coldStarts)}</td></tr>`,
	);
	const head = ["Name", ...numbers.map((one) => html`<span class="number">${one}</span>`)];
	return html`${table(label, head, body, "Nothing was used.")}${more && html`<p class="note">There are more: <code>atoll usage</code> has all of them.</p>`}`;
}

function usagePath(tenant: string, month: string): string {
	return `/usage?${new URLSearchParams({ tenant, month })}`;
}

interface Shown {
	tenant: TenantName | null;
	month: string;
	/** The month that it is. */
	now: string;
	isForAll: boolean;
}

function usageView({ tenant, month, now, isForAll }: Shown, body: Html): View {
	const months = Array.from({ length: MONTHS_OFFERED }, (_, i) => monthFrom(now, -i));
	if (!months.includes(month)) months.push(month);
	return {
		title: tenant === null ? "Usage" : `Usage of ${tenant}`,
		section: "/usage",
		trail: tenant !== null && isForAll ? [{ name: "All tenants", path: usagePath("", month) }] : [],
		body: html`<form class="bar" method="get" action="/usage">
${tenant !== null && html`<input type="hidden" name="tenant" value="${tenant}">`}
<label for="month">Month</label>
<select id="month" name="month" data-submits>${months.map((one) => html`<option${one === month && raw(" selected")}>${one}</option>`)}</select>
<button>Show</button>
</form>
${body}`,
		scripts: tenant === null ? [] : ["charts.js"],
	};
}
