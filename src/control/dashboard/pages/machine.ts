import type { EdgeStats } from "../../../feed/messages.ts";
import type { SandboxState } from "../../../link/protocol.ts";
import { functionOfKey } from "../../../names.ts";
import type { MachineState } from "../../../observe/runtime-stats.ts";
import { version } from "../../../version.ts";
import type { Control } from "../../control.ts";
import { bytes, count, duration, facts, share } from "../format.ts";
import { pathOf } from "../function-index.ts";
import { type Html, html } from "../html.ts";
import { table, type View } from "../layout.ts";
import type { Pages } from "../pages.ts";
import type { Summary } from "../summary.ts";
import type { Traffic } from "../traffic.ts";

/** So many of those that use the most are named. */
const NAMED = 10;
const HOUR = 3600_000;

export function addMachine(pages: Pages, control: Control, traffic: Traffic): void {
	pages.get("/machine", async ({ bearer }) => {
		bearer.requireAll("read");
		const { of } = await traffic.byFunction({ tenant: null, functions: null }, "15m");
		return machineView(control, [...of], await lostOf(control));
	});
}

const WHAT: [name: string, of: (edge: EdgeStats) => string][] = [
	["Functions in service", (edge) => count(edge.functions)],
	["Requests at work", (edge) => count(edge.inFlight)],
	["Sandboxes", (edge) => `${count(edge.sandboxes)}, ${count(edge.lent)} of them lent`],
	["Sandboxes replaced", (edge) => count(edge.restarts)],
	["Warm isolates", (edge) => `${count(edge.isolates)}, ${bytes(edge.bytes)}`],
	["Events that found one", (edge) => share(edge.hits, edge.hits + edge.coldStarts)],
	["Isolates started", (edge) => count(edge.coldStarts)],
	["Isolates evicted", (edge) => count(edge.evictions)],
	["Held for clients", (edge) => bytes(edge.heldBytes)],
	["Loop delay p50", (edge) => duration(edge.loopDelayP50)],
	["Loop delay p99", (edge) => duration(edge.loopDelayP99)],
	["Loop delay at most", (edge) => duration(edge.loopDelayMax)],
	["Heap", (edge) => bytes(edge.heapBytes)],
	["Resident memory", (edge) => bytes(edge.residentBytes)],
	["CPU time", (edge) => duration(edge.cpuSeconds)],
	["Mistakes of its own", (edge) => count(edge.faults)],
];

/** How much the log has lost within the last hour; `null` where it does not answer. */
async function lostOf({ logs, log }: Control): Promise<number | null> {
	const until = Date.now() + 1;
	const all = { query: "", tenant: null, functions: null, limit: 1, cursor: null };
	try {
		return (await logs.query({ ...all, since: until - HOUR, until })).lost;
	} catch (error) {
		log("warn", `the dashboard has no word of the log: ${(error as Error).message}`);
		return null;
	}
}

function machineView(control: Control, summaries: [key: string, of: Summary][], lost: number | null): View {
	const edges = control.metrics.edges;
	const rows = WHAT.map(
		([name, of]) =>
			html`<tr><th scope="row">${name}</th>${edges.map((edge) => html`<td class="number">${of(edge)}</td>`)}</tr>`,
	);
	const { rss, heapUsed } = process.memoryUsage();
	return {
		title: "Machine",
		section: "/machine",
		body: html`<div data-refresh="5">
${facts([
	["atoll", version()],
	["Node", process.version],
	["Edges that follow", count(control.feed.edges)],
	["Last commit", count(control.store.sequence)],
	["Control's memory", `${bytes(rss)}, heap ${bytes(heapUsed)}`],
	["The log's process", control.logs.pid === 0 ? "does not run" : String(control.logs.pid)],
	["Lost to the log within an hour", lost === null ? "the log does not answer" : count(lost)],
	["Control is up", duration(process.uptime())],
])}
<h2>Edges</h2>
${table("Edges", ["What", ...edges.map(({ pid }) => html`<span class="number">process ${pid}</span>`)], edges.length === 0 ? [] : rows, "No edge has told how it is yet.")}
<h2>Sandboxes</h2>
${sandboxes([...control.machines.values()])}
<h2>Functions that have cost a sandbox within an hour</h2>
${culprits([...control.machines.values()])}
<h2>Who uses the most, within 15 minutes</h2>
<div class="columns">
${most("CPU time", summaries, (of) => of.cpu, duration)}
${most("Invocations", summaries, (of) => of.invocations, count)}
${most("Errors", summaries, (of) => of.errors, count)}
${most("Memory of an isolate", summaries, (of) => of.memoryBytes, bytes)}
</div>
</div>`,
	};
}

const LANES: Record<SandboxState["lane"], string> = {
	normal: "normal: what has proven light, and all until something has",
	heavy: "heavy: the rest",
	probation: "probation: one function alone that has cost a sandbox",
	spare: "spare: takes over at once",
	leaving: "leaving: finishes what it has",
};

function sandboxes(machines: readonly MachineState[]): Html {
	const all = machines.flatMap((machine) => machine.sandboxes).sort((a, b) => b.bytes - a.bytes);
	const heads = ["Process", "Lane", ...["Isolates", "Memory", "Versions", "Attempts"].map(numbers), "Now"];
	const rows = all.map(
		({ pid, lane, isolates, bytes: memory, versions, attempts, stuck }) =>
			html`<tr><th scope="row">${pid === 0 ? "starts" : String(pid)}</th><td>${LANES[lane]}</td>
<td class="number">${count(isolates)}</td><td class="number">${bytes(memory)}</td><td class="number">${count(versions)}</td>
<td class="number">${count(attempts)}</td><td>${stuck ? "a long turn keeps others waiting" : ""}</td></tr>`,
	);
	return table("Sandboxes", heads, rows, "No edge has told of any.");
}

function culprits(machines: readonly MachineState[]): Html {
	const rows = machines
		.flatMap((machine) => machine.culprits)
		.map(
			({ tenant, function: name, strikes, disabledMs }) =>
				html`<tr><th scope="row"><a href="${pathOf({ tenant, name })}">${name}</a> <span class="tenant">${tenant}</span></th>
<td class="number">${count(strikes)}</td><td>${disabledMs > 0 ? html`put aside for ${duration(disabledMs / 1000)}` : "on probation"}</td></tr>`,
		);
	return table("Culprits", ["Function", numbers("Strikes"), "Now"], rows, "None.");
}

const numbers = (name: string): Html => html`<span class="number">${name}</span>`;

function most(
	name: string,
	summaries: readonly [string, Summary][],
	of: (summary: Summary) => number,
	write: (value: number) => string,
): Html {
	const values = summaries
		.map(([key, summary]) => [key, of(summary)] as const)
		.filter(([key, value]) => value > 0 && key !== "/");
	const rows = values
		.sort(([, a], [, b]) => b - a)
		.slice(0, NAMED)
		.map(([key, value]) => {
			const id = functionOfKey(key);
			return html`<tr><th scope="row"><a href="${pathOf(id)}">${id.name}</a> <span class="tenant">${id.tenant}</span></th><td class="number">${write(value)}</td></tr>`;
		});
	return html`<section><h3>${name}</h3>${table(name, ["Function", html`<span class="number">${name}</span>`], rows, "None.")}</section>`;
}
