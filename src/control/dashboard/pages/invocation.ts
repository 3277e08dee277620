import type { LogEntry } from "../../../logs/calls.ts";
import { keyOf } from "../../../names.ts";
import type { InvocationRecord } from "../../../observe/record.ts";
import type { Control } from "../../control.ts";
import { ControlError } from "../../control-error.ts";
import { invocationOf } from "../../observe/invocation.ts";
import { hasFailed, invocationPath } from "../entries.ts";
import { bytes, count, facts, longText, milliseconds, time } from "../format.ts";
import { pathOf } from "../function-index.ts";
import { type Html, html, visible } from "../html.ts";
import type { View } from "../layout.ts";
import type { Asked, Pages } from "../pages.ts";

/** So many lines of it are shown, and so much text of them together. */
const MOST_LINES = 500;
const MOST_LETTERS = 2 ** 20;
const BEFORE = 60_000;
/** An invocation is stored when it has ended. */
const AFTER = 3600_000;
const LOOK_BACK = 7 * 86_400_000;

export function addInvocation(pages: Pages, { catalog, logs }: Control): void {
	const look = async ({ c, bearer }: Asked): Promise<LogEntry> => {
		const at = Number(c.req.query("at"));
		const now = Date.now();
		const [since, until] = Number.isSafeInteger(at) && at > 0 ? [at - BEFORE, at + AFTER] : [now - LOOK_BACK, now + 1];
		const { tenant, functions } = bearer.grant;
		return invocationOf(logs, c.req.param("request") as string, { tenant, functions, since, until });
	};
	pages.get("/logs/:request", async (asked) => {
		const entry = await look(asked);
		const { tenant, function: name, version } = entry.record ?? entry.lines[0];
		const known = await catalog.store.get("version", `${keyOf({ tenant, name })}/${version}`);
		return invocationView(entry, known?.value.number ?? null);
	});
	pages.get("/logs/:request/lines/:line", async (asked) => {
		const { lines } = await look(asked);
		const line = lines[Number(asked.c.req.param("line"))];
		if (line === undefined) throw new ControlError("not_found", "it has no such line");
		return asked.c.text(visible(line.message));
	});
}

function invocationView({ time: at, record, lines }: LogEntry, version: number | null): View {
	const { requestId, tenant, function: name } = record ?? lines[0];
	const id = { tenant, name };
	return {
		title: record === null ? "Lines" : `${record.method || record.event} ${shortOf(record.url)}`,
		section: "/logs",
		trail: [
			{ name: "Logs", path: "/logs" },
			...(tenant === "" ? [] : [{ name: `${tenant}/${name}`, path: pathOf(id) }]),
		],
		body: html`${record !== null && recordOf(record, version)}
<h2>Lines <span class="note">${count(lines.length)}</span></h2>
${lines.length === 0 ? html`<p class="note">It has logged nothing.</p>` : linesOf({ time: at, record, lines }, requestId)}`,
	};
}

const shortOf = (url: string) => (url.length > 120 ? `${url.slice(0, 120)}…` : url);

function recordOf(record: InvocationRecord, version: number | null): Html {
	const { outcome, status, wallMs, cpuMs, startMs, cold, attempts, exceeded } = record;
	const limits = Object.entries(exceeded).map(([limit, times]) => `${limit}${times > 1 ? ` ${times} times` : ""}`);
	return html`${facts([
		["Outcome", html`<b class="${hasFailed(record) ? "bad" : "good"}">${outcome}</b>`],
		["Status", status === 0 ? "none" : status],
		["Time", time(record.time)],
		["Version", html`${version === null ? "" : `${version} · `}<code>${record.version.slice(0, 8) || "–"}</code>`],
		["Event", record.event],
		["Request", html`<code>${record.requestId}</code>`],
	])}
<p class="text">${record.method} ${longText(record.url)}</p>
<h2>Timing</h2>
${timing(record)}
${facts([
	["In all", milliseconds(wallMs)],
	["CPU", milliseconds(cpuMs)],
	["Start", cold ? milliseconds(startMs) : "the isolate was warm"],
	["Attempts", attempts],
	["Limits exceeded", limits.length === 0 ? "none" : limits.join(", ")],
	["Calls of bindings", callsOf(record)],
	["Request's body", bytes(record.requestBytes)],
	["Response's body", bytes(record.responseBytes)],
	["Isolate's memory", record.memoryBytes === 0 ? "–" : bytes(record.memoryBytes)],
])}`;
}

/** What of its time was the isolate's start, computing, and waiting; the list beside it has the numbers. */
function timing({ wallMs, cpuMs, startMs }: InvocationRecord): Html {
	const all = Math.max(wallMs, startMs + cpuMs, 0.001);
	const width = (ms: number) => Math.round((ms / all) * 1000) / 10;
	const [start, cpu] = [width(startMs), width(cpuMs)];
	return html`<svg class="timing" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="wait" width="100" height="4"/><rect class="start" width="${start}" height="4"/><rect class="cpu" x="${start}" width="${cpu}" height="4"/></svg>
<p class="note"><span class="colour-second">■</span> start <span class="colour-accent">■</span> CPU <span class="colour-line">■</span> waiting</p>`;
}

function linesOf({ time: at, lines }: LogEntry, requestId: string): Html {
	let letters = 0;
	const shown: Html[] = [];
	for (const [i, { time: written, level, message }] of lines.slice(0, MOST_LINES).entries()) {
		if (letters > MOST_LETTERS) break;
		letters += Math.min(message.length, 64 * 1024);
		const [path, query] = invocationPath(requestId, at).split("?");
		const whole = requestId === "" ? undefined : `${path}/lines/${i}?${query}`;
		shown.push(
			html`<li><div class="line ${level}"><i>${level}</i><div>${longText(message, whole)}</div></div><div class="line note"><i></i>${time(written)}</div></li>`,
		);
	}
	const left = lines.length - shown.length;
	return html`<ol class="entries" aria-label="Lines">${shown}</ol>${left > 0 && html`<p class="note">${count(left)} more lines</p>`}`;
}

/** How often bindings were called, by their names. */
function callsOf({ subrequests, bindingCalls }: InvocationRecord): Html | string {
	const named = Object.entries(bindingCalls ?? {}).map(([name, times]) => `${name} ${count(times)}`);
	return named.length === 0
		? count(subrequests)
		: html`${count(subrequests)} <span class="note">${named.join(", ")}</span>`;
}
