import { type FunctionId, functionOfKey, keyOf } from "../../../names.ts";
import type { Control } from "../../control.ts";
import { type FunctionDocument, PRODUCTION } from "../../store/documents.ts";
import { FAILING } from "../entries.ts";
import { bytes, count, duration, share, sharesText } from "../format.ts";
import { functionKeys, functionsOf, pathOf } from "../function-index.ts";
import { type Html, html, raw, verbatim } from "../html.ts";
import { table, type View } from "../layout.ts";
import type { Asked, Pages } from "../pages.ts";
import { sparkline } from "../sparkline.ts";
import { Summary } from "../summary.ts";
import { type Step, type Traffic, WINDOWS, type WindowName, windowOf } from "../traffic.ts";
import { logsPath } from "./logs.ts";

/** So many functions are on one page. */
const ON_PAGE = 50;
const OFFERED: WindowName[] = ["15m", "1h", "24h"];

/** What functions can be sorted by, the largest first. */
const ORDERS: Record<string, (of: Summary) => number> = {
	traffic: (of) => of.invocations,
	errors: (of) => of.errors / Math.max(1, of.invocations),
	p50: (of) => of.quantile(0.5) ?? -1,
	p99: (of) => of.quantile(0.99) ?? -1,
	cold: (of) => of.coldStarts,
	cpu: (of) => of.cpu,
	memory: (of) => of.memoryBytes,
};

/** What a list of functions is asked for by. */
interface Wanted {
	text: string;
	window: WindowName;
	order: string;
	page: number;
}

export function addFunctions(pages: Pages, control: Control, traffic: Traffic): void {
	pages.get("/", async (asked) => {
		const { c } = asked;
		const wanted: Wanted = {
			text: (c.req.query("q") ?? "").trim().slice(0, 128),
			window: windowOf(c.req.query("window"), "15m"),
			order: Object.hasOwn(ORDERS, c.req.query("sort") ?? "") ? (c.req.query("sort") as string) : "name",
			page: Math.max(1, Math.floor(Number(c.req.query("page") ?? 1)) || 1),
		};
		return functionsView(asked, control, traffic, wanted);
	});
}

async function functionsView(
	{ bearer }: Asked,
	{ store, catalog }: Control,
	traffic: Traffic,
	wanted: Wanted,
): Promise<View> {
	const { tenant, functions } = bearer.grant;
	const { text, window, order, page } = wanted;
	const keys = await functionKeys(store, bearer, text);
	const summaries = await traffic.byFunction({ tenant, functions }, window);
	const of = (key: string) => summaries.of.get(key) ?? NONE;
	const by = ORDERS[order];
	if (by !== undefined) {
		const values = new Map(keys.map((key) => [key, by(of(key))]));
		keys.sort((a, b) => (values.get(b) as number) - (values.get(a) as number));
	}
	const last = Math.max(1, Math.ceil(keys.length / ON_PAGE));
	const at = Math.min(page, last);
	const shown = await functionsOf(store, keys.slice((at - 1) * ON_PAGE, at * ON_PAGE));
	const series = await seriesOf(traffic, shown, window);
	const rows: Html[] = [];
	for (const one of shown) {
		const key = keyOf(one);
		const shares = (await catalog.released(one, PRODUCTION))?.shares ?? [];
		rows.push(rowOf(one, of(key), { released: sharesText(shares), steps: series.of.get(key) ?? [], window }));
	}
	const head = [
		sorting("name", "Function", wanted),
		sorting("traffic", "Invocations", wanted),
		html`<span class="unseen">Over time</span>`,
		sorting("errors", "Errors", wanted),
		sorting("p50", "p50", wanted),
		sorting("p99", "p99", wanted),
		sorting("cold", "Cold starts", wanted),
		sorting("cpu", "CPU", wanted),
		sorting("memory", "Memory", wanted),
		"Production",
	];
	const found = `${count(keys.length)} ${keys.length === 1 ? "function" : "functions"}${text === "" ? "" : ` with “${text}” in the name`}`;
	return {
		title: "Functions",
		section: "/",
		body: html`<form class="bar" method="get" action="/" role="search">
<label for="q" class="unseen">Name of a function or tenant</label>
<input id="q" name="q" type="search" value="${verbatim(text)}" placeholder="Search   /" data-search>
<label for="window">Within</label>
<select id="window" name="window" data-submits>${OFFERED.map((name) => html`<option value="${name}"${name === window && raw(" selected")}>${WINDOWS[name].name}</option>`)}</select>
<input type="hidden" name="sort" value="${order}">
<button>Show</button>
</form>
<div data-refresh="10">
<p class="note">${found}, within the last ${WINDOWS[window].name}. ${summaries.problem ?? series.problem}</p>
${table("Functions", head, rows, text === "" ? "Nothing is deployed yet: atoll deploy FOLDER." : "No function has that in its name.")}
${pager(wanted, at, last)}
</div>`,
	};
}

const NONE = new Summary();

/** Of the functions of a page, tenant by tenant. */
async function seriesOf(
	traffic: Traffic,
	shown: readonly FunctionDocument[],
	window: WindowName,
): ReturnType<Traffic["series"]> {
	const all: Awaited<ReturnType<Traffic["series"]>> = { of: new Map(), problem: null };
	for (const [tenant, functions] of Map.groupBy(shown, (one) => one.tenant)) {
		const whose = { tenant, functions: functions.map(({ name }) => name) };
		const { of, problem } = await traffic.series(whose, window, "function");
		for (const [key, steps] of of) all.of.set(key, steps);
		all.problem ??= problem;
	}
	return all;
}

interface Row {
	/** The versions that have its traffic. */
	released: string;
	steps: Step[];
	window: WindowName;
}

function rowOf(one: FunctionDocument, of: Summary, { released, steps, window }: Row): Html {
	const time = (part: number) => {
		const seconds = of.quantile(part);
		return seconds === null ? "–" : duration(seconds);
	};
	const state = one.paused
		? html` <span class="tag">paused</span>`
		: released === ""
			? html` <span class="tag">no release</span>`
			: "";
	const line = sparkline(
		steps.map(({ summary }) => summary.invocations),
		steps.map(({ summary }) => summary.errors),
	);
	return html`<tr>
<th scope="row"><a href="${pathOf(one)}">${one.name}</a> <span class="tenant">${one.tenant}</span>${state}</th>
<td class="number">${count(of.invocations)}</td>
<td>${line}</td>
<td class="number${of.errors > 0 && raw(" bad")}">${of.errors === 0 ? share(0, of.invocations) : html`<a href="${logsPath(one.tenant, `function:"${one.name}" (${FAILING})`, window)}">${share(of.errors, of.invocations)}</a>`}</td>
<td class="number">${time(0.5)}</td>
<td class="number">${time(0.99)}</td>
<td class="number">${count(of.coldStarts)}</td>
<td class="number">${of.invocations === 0 ? "–" : duration(of.cpu / of.invocations)}</td>
<td class="number">${of.memoryBytes === 0 ? "–" : bytes(of.memoryBytes)}</td>
<td><code>${released}</code></td>
</tr>`;
}

function queryOf({ text, window, order, page }: Wanted): string {
	return `/?${new URLSearchParams({ q: text, window, sort: order, page: String(page) })}`;
}

function sorting(order: string, name: string, wanted: Wanted): Html {
	const isSorted = wanted.order === order;
	return html`<a${order !== "name" && raw(' class="number"')} href="${queryOf({ ...wanted, order, page: 1 })}"${isSorted && raw(' aria-current="true"')}>${name}${isSorted && (order === "name" ? " ↑" : " ↓")}</a>`;
}

function pager(wanted: Wanted, at: number, last: number): Html | false {
	if (last === 1) return false;
	const to = (page: number, name: string) => html`<a href="${queryOf({ ...wanted, page })}">${name}</a>`;
	return html`<nav class="pager" aria-label="Pages">${at > 1 && to(at - 1, "Previous")} <span>Page ${at} of ${last}</span> ${at < last && to(at + 1, "Next")}</nav>`;
}

/** The function of a path, once it is sure that whoever asks may see it. */
export function functionOfPath({ c, bearer }: Asked) {
	const id = functionOfKey(`${c.req.param("tenant")}/${c.req.param("name")}`);
	bearer.require("read", id.tenant, id.name);
	return id;
}

/** The function of a path, once it is sure that whoever asks may change it. */
export function changedFunction(asked: Asked): FunctionId {
	const id = functionOfPath(asked);
	asked.bearer.require("deploy", id.tenant, id.name);
	return id;
}
