import type { Count } from "../../units.ts";
import { type Html, html } from "./html.ts";

const WIDTH = 120;
const HEIGHT = 22;

/** How much there was over time, and how much of it failed: a picture beside the numbers, which say it as well. */
export function sparkline(all: readonly Count[], failed: readonly Count[]): Html {
	const most = Math.max(...all, 1);
	const points = (values: readonly Count[]) =>
		values
			.map(
				(value, i) =>
					`${round((i / Math.max(1, values.length - 1)) * WIDTH)},${round(HEIGHT - 1 - (value / most) * (HEIGHT - 2))}`,
			)
			.join(" ");
	return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" aria-hidden="true"><polyline points="${points(all)}"/>${failed.some((value) => value > 0) && html`<polyline class="bad" points="${points(failed)}"/>`}</svg>`;
}

const round = (value: number) => Math.round(value * 10) / 10;
