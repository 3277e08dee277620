import { element, longText, say } from "./text.js";

/** What a function does, as it does it. */
const MOST = 200;
const list = document.getElementById("tail");
const state = document.getElementById("tail-state");
const filter = document.getElementById("tail-filter");
const errorsOnly = document.getElementById("tail-errors");
const pause = document.getElementById("pause");
let missed = 0;
let omitted = 0;
let told = 0;

const source = new EventSource(list.dataset.events);
source.addEventListener("open", () => tell("live"));
source.addEventListener("error", () =>
	tell(source.readyState === EventSource.CLOSED ? "ended: load the page again" : "connecting again …"),
);
source.addEventListener("message", ({ data }) => {
	const one = JSON.parse(data);
	if (one.record === undefined) return;
	if (isPaused()) {
		missed++;
		return tell(`paused, ${missed} not shown`);
	}
	document.getElementById("tail-empty")?.remove();
	const item = itemOf(one);
	item.hidden = !passes(item);
	list.prepend(item);
	while (list.children.length > MOST) list.lastElementChild.remove();
	// Not each of a hundred a second.
	if (performance.now() - told < 5000) return;
	told = performance.now();
	say(`${one.record.method} ${one.record.url}: ${one.record.outcome}`.slice(0, 200));
});
source.addEventListener("sampled", ({ data }) => {
	omitted += JSON.parse(data).leftOut;
	tell(`live, ${omitted} left out since there were too many`);
});
addEventListener("pagehide", () => source.close());

pause.addEventListener("click", () => {
	pause.setAttribute("aria-pressed", String(!isPaused()));
	pause.textContent = isPaused() ? "Go on" : "Pause";
	missed = 0;
	tell(isPaused() ? "paused" : "live");
});
document.getElementById("clear").addEventListener("click", () => list.replaceChildren());
for (const control of [filter, errorsOnly])
	control.addEventListener("input", () => {
		for (const item of list.children) item.hidden = !passes(item);
	});

const isPaused = () => pause.getAttribute("aria-pressed") === "true";

function tell(text) {
	state.textContent = text;
}

function passes(item) {
	if (errorsOnly.checked && !item.classList.contains("failed")) return false;
	return filter.value === "" || item.textContent.includes(filter.value);
}

function itemOf({ record, lines }) {
	const { time, requestId, method, url, event, status, outcome, wallMs, cpuMs, cold, version } = record;
	const failed = (outcome !== "ok" && outcome !== "client_gone") || status >= 500;
	const head = element("div", { className: "entry" });
	const link = element("a", {
		href: `/logs/${encodeURIComponent(requestId)}?at=${Date.parse(time)}`,
		text: time.slice(11, 23),
	});
	head.append(
		link,
		element("b", { className: failed ? "bad" : "good", text: outcome === "ok" ? status || "ok" : outcome }),
		element("span", { className: "what", text: `${method || event} ${url}`.slice(0, 500) }),
		element("span", {
			className: "note",
			text: `${wallMs.toFixed(1)} ms, CPU ${cpuMs.toFixed(1)} ms${cold ? ", cold" : ""}, ${version.slice(0, 8)}`,
		}),
	);
	const item = element("li", { className: failed ? "failed" : "" }, head);
	for (const { level, message } of lines)
		item.append(element("div", { className: `line ${level}` }, element("i", { text: level }), ...longText(message)));
	return item;
}
