import { MOST_PROFILE_REQUESTS, MOST_PROFILE_SECONDS } from "../../../limits/profile-bounds.ts";
import type { LogEntry } from "../../../logs/calls.ts";
import type { FunctionId } from "../../../names.ts";
import { keyOf } from "../../../names.ts";
import { isFailure } from "../../../observe/faas.ts";
import { tailStream } from "../../admin/tail-stream.ts";
import type { Control } from "../../control.ts";
import { ControlError } from "../../control-error.ts";
import type { FunctionDocument, ReleaseDocument } from "../../store/documents.ts";
import { chart } from "../chart.ts";
import { entryList, FAILING } from "../entries.ts";
import { bytes, count, duration, facts, share, sharesText, time } from "../format.ts";
import { pathOf } from "../function-index.ts";
import { type Html, html, raw } from "../html.ts";
import type { View } from "../layout.ts";
import type { Asked, Pages } from "../pages.ts";
import { Summary } from "../summary.ts";
import { boundsOf, type Step, type Traffic, WINDOWS, type WindowName, windowOf } from "../traffic.ts";
import { changedFunction, functionOfPath } from "./functions.ts";
import { logsPath } from "./logs.ts";

/** Errors of so many kinds have a line of their own. */
const MOST_OUTCOMES = 8;
/** So many of the latest that failed are on a function's page. */
const MOST_FAILED = 10;
const OFFERED: WindowName[] = ["1h", "24h", "7d"];

export const FUNCTION = "/functions/:tenant/:name";

export function addFunction(pages: Pages, { catalog, profiles }: Control, traffic: Traffic): void {
	pages.get(FUNCTION, async (asked) => {
		const id = functionOfPath(asked);
		const { value: one } = await catalog.find(id);
		const window = windowOf(asked.c.req.query("window"));
		const whose = { tenant: id.tenant, functions: [id.name] };
		const { of, problem } = await traffic.series(whose, window);
		const steps = of.get("") as Step[];
		const releases = await catalog.releases(id);
		const failed = await latestFailed(asked, id, window);
		return functionView(id, "overview", html`${overview(asked, one, { steps, window, releases, failed, problem })}`, {
			charts: true,
		});
	});
	pages.post(`${FUNCTION}/profile`, async (asked, form) => {
		const id = changedFunction(asked);
		await catalog.find(id);
		const seconds = Number(form.get("seconds"));
		if (!Number.isInteger(seconds) || seconds < 1 || seconds > MOST_PROFILE_SECONDS)
			throw new ControlError("invalid", `seconds: it must be a whole number between 1 and ${MOST_PROFILE_SECONDS}`);
		const profile = await profiles.take(
			{ function: id, version: null, seconds, requests: MOST_PROFILE_REQUESTS },
			asked.c.req.raw.signal,
		);
		const at = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
		const headers = {
			"content-type": "application/octet-stream",
			"content-disposition": `attachment; filename="${id.name}-${at}.cpuprofile"`,
		};
		return asked.c.body(new Uint8Array(profile), 200, headers);
	});
	pages.get(`${FUNCTION}/live`, async (asked) => {
		const id = functionOfPath(asked);
		await catalog.find(id);
		return functionView(id, "live", liveBody(id), { tail: true });
	});
	pages.get(`${FUNCTION}/events`, async (asked) => {
		const { c, control, session } = asked;
		const id = functionOfPath(asked);
		await catalog.find(id);
		const stream = tailStream(c as never, control, { scope: keyOf(id), filters: [], origins: false });
		const forget = control.sessions.onEnd(session, () => c.env.incoming.destroy());
		if (c.env.outgoing.destroyed) forget();
		else c.env.outgoing.once("close", forget);
		return stream;
	});
}

const TABS = { overview: "Overview", live: "Live", releases: "Releases", settings: "Settings" } as const;

/** A page of one function: with the others of it beside. */
export function functionView(
	id: FunctionId,
	tab: keyof typeof TABS,
	body: Html,
	{ charts = false, tail = false } = {},
): View {
	const path = pathOf(id);
	const links = Object.entries(TABS).map(
		([key, name]) =>
			html`<li><a href="${key === "overview" ? path : `${path}/${key}`}"${key === tab && raw(' aria-current="page"')}>${name}</a></li>`,
	);
	return {
		title: id.name,
		section: "/",
		trail: [
			{ name: "Functions", path: "/" },
			{ name: id.tenant, path: `/?${new URLSearchParams({ q: `${id.tenant}/` })}` },
		],
		body: html`<nav class="tabs" aria-label="Of this function"><ul>${links}</ul></nav>
${body}`,
		scripts: [...(charts ? (["charts.js"] as const) : []), ...(tail ? (["tail.js"] as const) : [])],
	};
}

/** What a page of a function tells beside what it is. */
interface Told {
	steps: Step[];
	window: WindowName;
	releases: ReleaseDocument[];
	/** Its latest invocations that failed; `null` where the log does not answer. */
	failed: LogEntry[] | null;
	/** Why figures are missing; `null` where they are not. */
	problem: string | null;
}

async function latestFailed(
	{ control }: Asked,
	{ tenant, name }: FunctionId,
	window: WindowName,
): Promise<LogEntry[] | null> {
	const until = Date.now() + 1;
	const since = until - WINDOWS[window].length;
	const query = { query: FAILING, tenant, functions: [name], since, until, limit: MOST_FAILED, cursor: null };
	try {
		return (await control.logs.query(query)).entries;
	} catch (error) {
		control.log("warn", `the dashboard has no invocations: ${(error as Error).message}`);
		return null;
	}
}

function overview(asked: Asked, one: FunctionDocument, { steps, window, releases, failed, problem }: Told): Html {
	const { control, bearer } = asked;
	const all = new Summary();
	for (const { summary } of steps) all.merge(summary);
	const p = (part: number) => {
		const seconds = all.quantile(part);
		return seconds === null ? "–" : duration(seconds);
	};
	const production = releases.find(({ id }) => id === one.aliases.production);
	const hostnames = control.catalog.hostnamesOf(one);
	const [hostname] = hostnames;
	const slow = `wallMs>=${Math.floor((all.quantile(0.99) ?? 0) * 1000)}`;
	const own = (query: string) => `function:"${one.name}" ${query === FAILING ? `(${query})` : query}`.trim();
	return html`${facts([
		["Serves", production === undefined ? "nothing yet" : sharesOf(production)],
		["State", one.paused ? "paused" : "in service"],
		[
			"At",
			hostname === undefined
				? "no hostname"
				: html`<a href="${control.urlOf(hostname)}" rel="noreferrer">${hostname}</a>`,
		],
		["Invocations", count(all.invocations)],
		["Errors", html`${count(all.errors)} <span class="note">${share(all.errors, all.invocations)}</span>`],
		["p50", p(0.5)],
		["p99", p(0.99)],
		["Cold starts", count(all.coldStarts)],
		["Memory", all.memoryBytes === 0 ? "–" : bytes(all.memoryBytes)],
	])}
${bearer.allows("deploy", one.tenant, one.name) && releases.length > 1 && html`<p><a class="button" href="${pathOf(one)}/releases">Roll back or shift traffic</a></p>`}
${bearer.allows("deploy", one.tenant, one.name) && profileForm(one, asked.session.formToken)}
<nav class="tabs" aria-label="Time"><ul>${OFFERED.map((name) => html`<li><a href="${pathOf(one)}?window=${name}"${name === window && raw(' aria-current="true"')}>${WINDOWS[name].name}</a></li>`)}</ul></nav>
${problem !== null && html`<p class="note">${problem}</p>`}
<div class="charts">${chartsOf(steps)}</div>
${marks(releases, window)}
<h2>Latest that failed</h2>
<p><a href="${logsPath(one.tenant, own(FAILING), window)}">All that failed</a> · <a href="${logsPath(one.tenant, own(slow), window)}">Slowest</a> · <a href="${logsPath(one.tenant, own(""), window)}">All</a></p>
${failed === null ? html`<p class="note">The log does not answer.</p>` : entryList("Latest that failed", failed, { named: false })}`;
}

const profileForm = (id: FunctionId, formToken: string): Html => html`<details><summary>CPU profile</summary>
<form method="post" action="${pathOf(id)}/profile" class="inline">
<input type="hidden" name="form" value="${formToken}">
<label>Seconds <input type="number" name="seconds" value="10" min="1" max="${MOST_PROFILE_SECONDS}" required></label>
<button>Take a profile</button>
</form>
<p class="note">Its requests go to a sandbox of their own meanwhile. The file opens in Chrome's DevTools, VS Code and
speedscope.</p></details>`;

const sharesOf = ({ shares }: ReleaseDocument) => html`<code>${sharesText(shares)}</code>`;

function chartsOf(steps: Step[]): Html[] {
	const times = steps.map((step) => step.time);
	const each = (read: (of: Summary) => number | null) => steps.map(({ summary }) => read(summary));
	const quantile = (part: number) => each((of) => of.quantile(part));
	const outcomes = new Map<string, number>();
	for (const { summary } of steps)
		for (const [outcome, times] of summary.outcomes)
			if (isFailure(outcome)) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + times);
	const names = [...outcomes]
		.sort(([, a], [, b]) => b - a)
		.slice(0, MOST_OUTCOMES)
		.map(([name]) => name);
	const errors = names.map((name) => ({ name, values: each((of) => of.outcomes.get(name) ?? 0), bad: true }));
	const none = { name: "errors", values: each(() => 0), bad: true };
	return [
		chart({
			title: "Invocations",
			unit: "count",
			times,
			series: [{ name: "invocations", values: each((of) => of.invocations) }],
		}),
		chart({ title: "Errors by outcome", unit: "count", times, series: errors.length === 0 ? [none] : errors }),
		chart({
			title: "Duration",
			unit: "seconds",
			times,
			series: [
				{ name: "p50", values: quantile(0.5) },
				{ name: "p90", values: quantile(0.9) },
				{ name: "p99", values: quantile(0.99) },
			],
		}),
		chart({
			title: "CPU of an invocation",
			unit: "seconds",
			times,
			series: [{ name: "mean", values: each((of) => (of.invocations === 0 ? null : of.cpu / of.invocations)) }],
		}),
		chart({
			title: "Cold starts",
			unit: "count",
			times,
			series: [{ name: "cold starts", values: each((of) => of.coldStarts) }],
		}),
		chart({
			title: "Memory of an isolate",
			unit: "bytes",
			times,
			series: [{ name: "memory", values: each((of) => of.memoryBytes || null) }],
		}),
	];
}

/** Releases within the time, which charts have as marks. */
function marks(releases: readonly ReleaseDocument[], window: WindowName): Html | false {
	const { since } = boundsOf(window);
	const within = releases.filter(({ created, alias }) => alias === "production" && Date.parse(created) >= since);
	if (within.length === 0) return false;
	const items = within.map(
		(one) =>
			html`<li data-mark>${time(one.created)} ${sharesOf(one)} by ${one.author}${one.message === "" ? "" : `: ${one.message.slice(0, 200)}`}</li>`,
	);
	return html`<section><h2>Releases in this time</h2><ol class="plain">${items}</ol></section>`;
}

function liveBody(id: FunctionId): Html {
	return html`<div class="bar">
<button type="button" id="pause" aria-pressed="false">Pause</button>
<button type="button" id="clear">Clear</button>
<label for="tail-filter">Only with</label><input id="tail-filter" type="search" placeholder="text   /" data-search>
<label><input type="checkbox" id="tail-errors"> errors only</label>
<span id="tail-state" role="status">connecting …</span>
</div>
<ol id="tail" class="entries" data-events="${pathOf(id)}/events" aria-label="Invocations, the latest first"></ol>
<p class="note" id="tail-empty">Invocations show here as they end, with what they logged.</p>`;
}
