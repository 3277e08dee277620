import type { LogEntry } from "../../logs/calls.ts";
import { isFailure } from "../../observe/faas.ts";
import type { InvocationRecord, LogLine } from "../../observe/record.ts";
import { count, milliseconds, time } from "./format.ts";
import { type Html, html } from "./html.ts";

/** A list shows so many lines of an entry, and so much of each. */
const LINES_IN_LIST = 4;
const LETTERS_IN_LIST = 400;

/** What failed, in the language of queries. */
export const FAILING = "(-outcome:ok -outcome:client_gone) OR status>=500";

export const hasFailed = ({ outcome, status }: InvocationRecord): boolean => isFailure(outcome) || status >= 500;

/** Entries of the log, each with the beginning of what it says and a link to all of it. */
export function entryList(label: string, entries: readonly LogEntry[], { named = true } = {}): Html {
	if (entries.length === 0) return html`<p class="note">Nothing.</p>`;
	return html`<ol class="entries" aria-label="${label}">${entries.map((one) => entryItem(one, named))}</ol>`;
}

function entryItem({ time: at, record, lines }: LogEntry, named: boolean): Html {
	const { requestId, tenant, function: name } = record ?? (lines[0] as LogLine);
	const path = requestId === "" ? null : invocationPath(requestId, at);
	const of = named && html`<span class="tenant">${tenant === "" ? "no function" : `${tenant}/${name}`}</span>`;
	const shown = lines.slice(0, LINES_IN_LIST).map(({ level, message }) => {
		const cut =
			message.length > LETTERS_IN_LIST && html`<span class="note">… ${count(message.length)} characters</span>`;
		return html`<div class="line ${level}"><i>${level}</i><span class="text">${message.slice(0, LETTERS_IN_LIST)}</span>${cut}</div>`;
	});
	const more =
		lines.length > LINES_IN_LIST &&
		html`<div class="line note">${count(lines.length - LINES_IN_LIST)} more lines</div>`;
	return html`<li><div class="entry">${path === null ? time(at) : html`<a href="${path}">${time(at)}</a>`}${record === null ? html`<b>outside of a request</b>` : headOf(record)}${of}</div>${shown}${more}</li>`;
}

function headOf(record: InvocationRecord): Html {
	const { outcome, status, method, event, url, wallMs, cpuMs, cold, version } = record;
	const failed = hasFailed(record);
	return html`<b class="${failed ? "bad" : "good"}">${outcome === "ok" ? status || "ok" : outcome}</b><span class="what">${method || event} ${url.slice(0, LETTERS_IN_LIST)}</span><span class="note">${milliseconds(wallMs)}, CPU ${milliseconds(cpuMs)}${cold && ", cold"}, ${version.slice(0, 8)}</span>`;
}

/** Where one invocation is, by when it was. */
export function invocationPath(requestId: string, at: number): string {
	return `/logs/${encodeURIComponent(requestId)}?at=${at}`;
}
