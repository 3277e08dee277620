/** Draws each chart from the table beside it. */
const { uPlot } = window;
const HEIGHT = 150;
const marks = [...document.querySelectorAll("[data-mark] time")].map((one) => Date.parse(one.dateTime) / 1000);
const plots = [];

const UNITS = {
	count: (value) => (value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : `${value}`),
	seconds: (value) => (value >= 1 ? `${+value.toPrecision(3)} s` : `${+(value * 1000).toPrecision(3)} ms`),
	bytes: (value) => (value >= 2 ** 20 ? `${Math.round(value / 2 ** 20)} MB` : `${Math.round(value / 1024)} KB`),
};

/** Sizes are read in powers of two; of all else the default is fine. */
const INCREMENTS = { bytes: Array.from({ length: 40 }, (_, i) => 2 ** i) };

/** How far a chart goes in which nothing was. */
const LEAST = { count: 1, seconds: 0.001, bytes: 1024 };

function tableOf(figure) {
	const names = [...figure.querySelectorAll("thead th")].slice(1);
	const rows = [...figure.querySelectorAll("tbody tr")];
	const times = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
	const values = names.map((_, i) => rows.map((row) => number(row.children[i + 1].dataset.value)));
	return { names, data: [times, ...values] };
}

const number = (text) => (text === "" ? null : Number(text));

/** Colours are the page's, in which each is as the theme has it. */
function colour(name) {
	const probe = document.createElement("span");
	probe.className = `colour-${name}`;
	document.body.append(probe);
	const { color } = getComputedStyle(probe);
	probe.remove();
	return color;
}

function releases() {
	const draw = (plot) => {
		const { ctx, bbox } = plot;
		ctx.save();
		ctx.strokeStyle = colour("accent");
		ctx.setLineDash([4, 4]);
		for (const mark of marks) {
			const x = plot.valToPos(mark, "x", true);
			if (x < bbox.left || x > bbox.left + bbox.width) continue;
			ctx.beginPath();
			ctx.moveTo(x, bbox.top);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
		}
		ctx.restore();
	};
	return { hooks: { draw: [draw] } };
}

/** `20:15`, with the day where there are several. */
function timeOf(seconds, times) {
	const text = new Date(seconds * 1000).toISOString();
	if (times[1] - times[0] >= 86_400) return text.slice(5, 10);
	return times.at(-1) - times[0] > 86_400 ? `${text.slice(5, 10)} ${text.slice(11, 13)}h` : text.slice(11, 16);
}

function draw(figure) {
	const place = figure.querySelector(".plot");
	const { names, data } = tableOf(figure);
	const write = UNITS[figure.dataset.chart];
	const good = ["accent", "second", "third"];
	const bad = ["bad", "warn", "second", "third", "accent"];
	const axis = {
		stroke: colour("muted"),
		grid: { stroke: colour("line"), width: 1 },
		ticks: { show: false },
		font: "11px system-ui",
	};
	const series = names.map((th, i) => {
		const all = th.classList.contains("bad") ? bad : good;
		return {
			label: th.textContent,
			stroke: colour(all[i % all.length]),
			width: 1.5,
			spanGaps: false,
			points: { show: data[i + 1].includes(null), size: 4 },
			value: (_, value) => (value === null ? "–" : write(value)),
		};
	});
	const plot = new uPlot(
		{
			width: place.clientWidth,
			height: HEIGHT,
			cursor: { y: false, sync: { key: "time" } },
			legend: { show: true },
			scales: {
				y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high > 0 ? high : LEAST[figure.dataset.chart]) * 1.1] },
			},
			tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
			axes: [
				{ ...axis, space: 70, values: (_, all) => all.map((seconds) => timeOf(seconds, data[0])) },
				{
					...axis,
					size: 60,
					incrs: INCREMENTS[figure.dataset.chart],
					values: (_, all) => all.map((value) => write(value)),
				},
			],
			series: [{ value: (_, seconds) => (seconds === null ? "–" : timeOf(seconds, data[0])) }, ...series],
			plugins: [releases()],
		},
		data,
		place,
	);
	plots.push({ place, plot });
}

function drawAll() {
	for (const { plot } of plots.splice(0)) plot.destroy();
	for (const figure of document.querySelectorAll("[data-chart]")) draw(figure);
}

drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
addEventListener("resize", () => {
	for (const { place, plot } of plots) plot.setSize({ width: place.clientWidth, height: HEIGHT });
});
