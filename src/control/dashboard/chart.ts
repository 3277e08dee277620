import type { Milliseconds } from "../../units.ts";
import { bytes, count, duration, time } from "./format.ts";
import { type Html, html } from "./html.ts";

/** How a chart's values are written. */
const UNITS = { count, seconds: duration, bytes } as const;

export interface Chart {
	title: string;
	unit: keyof typeof UNITS;
	times: readonly Milliseconds[];
	series: readonly {
		name: string;
		/** `null` where there is no value. */
		values: readonly (number | null)[];
		/** Whether it is of what went wrong. */
		bad?: boolean;
	}[];
}

/** A chart: a table of its numbers, of which `charts.js` draws the picture. */
export function chart({ title, unit, times, series }: Chart): Html {
	const write = UNITS[unit];
	const head = series.map(({ name, bad }) => html`<th scope="col"${bad && html` class="bad"`}>${name}</th>`);
	const rows = times.map((at, i) => {
		const cells = series.map(({ values }) => {
			const value = values[i] ?? null;
			return html`<td class="number" data-value="${value ?? ""}">${value === null ? "–" : write(value)}</td>`;
		});
		return html`<tr><th scope="row">${time(at)}</th>${cells}</tr>`;
	});
	return html`<figure class="chart" data-chart="${unit}">
<figcaption>${title}</figcaption>
<div class="plot" aria-hidden="true"></div>
<details><summary>As a table<span class="unseen">: ${title}</span></summary><div class="scroll" role="region" aria-label="${title}" tabindex="0"><table>
<thead><tr><th scope="col">Time</th>${head}</tr></thead>
<tbody>${rows}</tbody>
</table></div></details>
</figure>`;
}
