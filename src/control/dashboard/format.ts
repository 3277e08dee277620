import type { Bytes, Milliseconds, Seconds } from "../../units.ts";
import type { ReleasedShare } from "../store/documents.ts";
import { type Html, html, NOTHING } from "./html.ts";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const count = (value: number): string => whole.format(value);

/** `12.3 ms`, `4.56 s`, `2 min` */
export function duration(seconds: Seconds): string {
	if (seconds < 1) return `${three.format(seconds * 1000)} ms`;
	if (seconds < 120) return `${three.format(seconds)} s`;
	if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
	return seconds < 172_800 ? `${whole.format(seconds / 3600)} h` : `${whole.format(seconds / 86_400)} days`;
}

export const milliseconds = (value: Milliseconds): string => duration(value / 1000);

/** `12.3 MB` */
export function bytes(value: Bytes): string {
	let [scaled, unit] = [value, 0];
	for (; scaled >= 1024 && unit < 4; unit++) scaled /= 1024;
	return `${three.format(scaled)} ${["B", "KB", "MB", "GB", "TB"][unit]}`;
}

/** `1f0c9a3e 90 %, 7b21c04d 10 %`: versions by the beginning of their names, without a share where there is one alone. */
export function sharesText(shares: readonly ReleasedShare[]): string {
	return shares
		.map(({ version, percent }) => `${version.slice(0, 8)}${percent === 100 ? "" : ` ${percent} %`}`)
		.join(", ");
}

/** `0.4 %`; of none it is none. */
export function share(part: number, all: number): string {
	return all === 0 ? "–" : `${three.format((part / all) * 100)} %`;
}

/** A time, in UTC; how long ago that was for whoever points at it. */
export function time(at: string | Milliseconds, now: Milliseconds = Date.now()): Html {
	const date = new Date(at);
	if (Number.isNaN(date.getTime())) return html`${String(at)}`;
	const iso = date.toISOString();
	const ago = `${duration(Math.max(0, (now - date.getTime()) / 1000))} ago`;
	return html`<time datetime="${iso}" title="${ago}">${iso.slice(0, 10)} ${iso.slice(11, 23).replace(".000", "")}</time>`;
}

/** What is told in a list of names and values. */
export function facts(all: readonly (readonly [name: string, value: Html | string | number] | null)[]): Html {
	const told = all.filter((one) => one !== null);
	return told.length === 0
		? NOTHING
		: html`<dl class="facts">${told.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** So much of a text is shown at once. */
const SHOWN = 2000;
/** So much of it is in the page at all. */
const IN_PAGE = 64 * 1024;

/** A text of any length: its beginning, more of it to be unfolded, and where the rest is. */
export function longText(text: string, whole?: string): Html {
	if (text.length <= SHOWN) return html`<span class="text">${text}</span>`;
	const more = text.slice(SHOWN, IN_PAGE);
	const rest =
		text.length > IN_PAGE
			? html`<p class="note">${count(text.length - IN_PAGE)} more characters${whole === undefined ? "" : html`: <a href="${whole}">the whole text</a>`}</p>`
			: "";
	return html`<span class="text">${text.slice(0, SHOWN)}</span><details class="more"><summary>${count(text.length - SHOWN)} more characters</summary><span class="text">${more}</span>${rest}</details>`;
}
