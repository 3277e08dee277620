import type { Control } from "../../control.ts";
import type { FunctionDocument, VersionDocument } from "../../store/documents.ts";
import { count, facts, longText, time } from "../format.ts";
import { pathOf } from "../function-index.ts";
import { type Html, html } from "../html.ts";
import { table } from "../layout.ts";
import type { Asked, Pages } from "../pages.ts";
import { Summary } from "../summary.ts";
import type { Traffic } from "../traffic.ts";
import { FUNCTION, functionView } from "./function.ts";
import { changedFunction, functionOfPath } from "./functions.ts";

/** What a function is set to, what it is bound to and what calls it; and whether it is paused, which can be changed. */
export function addSettings(pages: Pages, control: Control, traffic: Traffic): void {
	const { catalog } = control;
	pages.get(`${FUNCTION}/settings`, async (asked) => {
		const id = functionOfPath(asked);
		const { value: one } = await catalog.find(id);
		const versions: VersionDocument[] = [];
		for (const { version } of (await catalog.released(one))?.shares ?? [])
			versions.push(await catalog.version(id, version));
		const all = new Summary();
		const { of } = await traffic.series({ tenant: id.tenant, functions: [id.name] }, "24h");
		for (const { summary } of of.get("") ?? []) all.merge(summary);
		return functionView(id, "settings", settingsBody(asked, one, versions, all.bindingCalls));
	});
	pages.post(`${FUNCTION}/paused`, async (asked, form) => {
		const id = changedFunction(asked);
		const sequence = await catalog.set(asked.bearer.label, id, { paused: form.get("paused") === "yes" });
		await control.served(sequence);
		return asked.c.redirect(`${pathOf(id)}/settings`, 303);
	});
}

function settingsBody(
	{ control, bearer, session }: Asked,
	one: FunctionDocument,
	versions: readonly VersionDocument[],
	calls: Readonly<Record<string, number>>,
): Html {
	const { paused, provisioned, maxInstances, schedules, consumers, storage, secrets } = one;
	const hostnames = control.catalog.hostnamesOf(one);
	const variables = new Map<string, { value: unknown; of: string }>();
	for (const [name, value] of Object.entries(one.variables)) variables.set(name, { value, of: "the function" });
	for (const { number, variables: own } of versions)
		for (const [name, value] of Object.entries(own)) variables.set(name, { value, of: `version ${number}` });
	const bindings = versions.flatMap(({ number, bindings: own }) =>
		Object.entries(own).map(([name, { type, ...rest }]) => ({ name, type, rest, number })),
	);
	const named = new Set(bindings.map(({ name }) => name));
	const unnamed = Object.entries(calls).filter(([name]) => !named.has(name));
	const json = (value: unknown) =>
		html`<code>${longText(typeof value === "string" ? value : JSON.stringify(value))}</code>`;
	const isPaused = html`<form class="bar" method="post" action="${pathOf(one)}/paused"><input type="hidden" name="form" value="${session.formToken}"><input type="hidden" name="paused" value="${paused ? "no" : "yes"}"><button>${paused ? "Resume" : "Pause"}</button></form>`;
	return html`${facts([
		["State", paused ? "paused" : "in service"],
		["Provisioned", provisioned],
		["Instances at most", maxInstances ?? "as many as it needs"],
		["Created", time(one.created)],
		["Changed", time(one.changed)],
	])}
${bearer.allows("deploy", one.tenant, one.name) && isPaused}
<h2>Hostnames</h2>
<ul class="plain">${hostnames.map((hostname) => html`<li><a href="${control.urlOf(hostname)}" rel="noreferrer">${hostname}</a></li>`)}</ul>
<h2>Variables</h2>
${table(
	"Variables",
	["Name", "Value", "Of"],
	[...variables].map(
		([name, { value, of }]) =>
			html`<tr><th scope="row"><code>${name}</code></th><td>${json(value)}</td><td>${of}</td></tr>`,
	),
	"None.",
)}
<h2>Secrets</h2>
${table(
	"Secrets",
	["Name", "Set"],
	Object.entries(secrets).map(
		([name, { changed }]) => html`<tr><th scope="row"><code>${name}</code></th><td>${time(changed)}</td></tr>`,
	),
	"None.",
)}
<h2>Bindings <span class="note">${bindings.length}</span></h2>
${table(
	"Bindings",
	["Name", "Kind", "To", "Version", html`<span class="number">Calls in 24 hours</span>`],
	bindings.map(
		({ name, type, rest, number }) =>
			html`<tr><th scope="row"><code>${name}</code></th><td>${type}</td><td>${json(rest)}</td><td class="number">${number}</td>
<td class="number">${count(calls[name] ?? 0)}</td></tr>`,
	),
	"None.",
)}
${unnamed.length > 0 && html`<p class="note">Beside these: ${unnamed.map(([name, times]) => `${name} ${count(times)}`).join(", ")}.</p>`}
<h2>Triggers</h2>
${table(
	"Triggers",
	["Kind", "When"],
	[
		...schedules.map((cron) => html`<tr><th scope="row">schedule</th><td><code>${cron}</code></td></tr>`),
		...consumers.map(({ queue, ...rest }) => html`<tr><th scope="row">queue</th><td>${queue} ${json(rest)}</td></tr>`),
		...storage.map((rule) => html`<tr><th scope="row">storage</th><td>${json(rule)}</td></tr>`),
	],
	"Requests alone call it.",
)}`;
}
