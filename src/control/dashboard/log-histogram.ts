import { durationOf } from "../../logs/query/values.ts";
import type { Count, EpochMs } from "../../units.ts";
import { count, time } from "./format.ts";
import { type Html, html } from "./html.ts";
import { table } from "./layout.ts";

/** How many entries there were within a step of time. */
interface Bar {
	at: EpochMs;
	count: Count;
	bad: boolean;
}

const HEIGHT = 80;
const WIDTH = 10;

/** How many entries there were over time: bars, and a table of the same numbers. */
export function histogram(
	bars: readonly Bar[],
	{ since, until, bar }: { since: EpochMs; until: EpochMs; bar: string },
): Html {
	const step = durationOf(bar) as number;
	const first = Math.floor(since / step) * step;
	const steps = Array.from({ length: Math.ceil((until - first) / step) }, (_, i) => ({
		at: first + i * step,
		good: 0,
		bad: 0,
	}));
	for (const one of bars) {
		const found = steps[Math.floor((one.at - first) / step)];
		if (found === undefined) continue;
		if (one.bad) found.bad += one.count;
		else found.good += one.count;
	}
	const most = Math.max(1, ...steps.map(({ good, bad }) => good + bad));
	const height = (value: Count) => Math.round((value / most) * HEIGHT * 10) / 10;
	const rects = steps.flatMap(({ good, bad }, i) => {
		const [low, high] = [height(good), height(bad)];
		return [
			low > 0 && html`<rect x="${i * WIDTH}" y="${HEIGHT - low}" width="${WIDTH - 1}" height="${low}"/>`,
			high > 0 &&
				html`<rect class="bad" x="${i * WIDTH}" y="${HEIGHT - low - high}" width="${WIDTH - 1}" height="${high}"/>`,
		];
	});
	const rows = steps
		.filter(({ good, bad }) => good + bad > 0)
		.map(
			({ at, good, bad }) =>
				html`<tr><th scope="row">${time(at)}</th><td class="number">${count(good + bad)}</td><td class="number">${count(bad)}</td></tr>`,
		);
	return html`<figure class="chart"><figcaption>Over time, each bar ${bar}</figcaption>
<svg class="bars" viewBox="0 0 ${steps.length * WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${rects}</svg>
<details><summary>As a table</summary>${table("Over time", ["Time", "Entries", "Failed"], rows)}</details></figure>`;
}
