import type { FunctionId } from "../../../names.ts";
import type { Control } from "../../control.ts";
import { ControlError } from "../../control-error.ts";
import { PRODUCTION, type ReleaseDocument, type VersionDocument } from "../../store/documents.ts";
import type { Sequence } from "../../store/store.ts";
import { bytes, time } from "../format.ts";
import { pathOf } from "../function-index.ts";
import { type Html, html } from "../html.ts";
import { table } from "../layout.ts";
import type { Asked, Pages } from "../pages.ts";
import { FUNCTION, functionView } from "./function.ts";
import { changedFunction, functionOfPath } from "./functions.ts";

/** So many of the latest are shown. */
const SHOWN = 100;
/** Where releases come from, as they are told. */
const SOURCE = "dashboard";

export function addReleases(pages: Pages, control: Control): void {
	const { catalog, releases } = control;
	pages.get(`${FUNCTION}/releases`, async (asked) => {
		const id = functionOfPath(asked);
		const { value: one } = await catalog.find(id);
		const [all, versions] = [await catalog.releases(id), await catalog.versions(id)];
		return functionView(id, "releases", releasesBody(asked, id, all, versions, one.aliases[PRODUCTION]));
	});
	pages.post(`${FUNCTION}/rollback`, async (asked, form) => {
		const id = changedFunction(asked);
		const version = String(form.get("version") ?? "");
		const to = { message: "rolled back in the dashboard", ...(version !== "" && { version }) };
		const { sequence } = await releases.rollback(asked.bearer.label, id, to);
		return shown(asked, id, sequence);
	});
	pages.post(`${FUNCTION}/traffic`, async (asked, form) => {
		const id = changedFunction(asked);
		const [first, second] = [String(form.get("first")), String(form.get("second"))];
		const percent = Number(form.get("percent"));
		if (!Number.isFinite(percent) || percent < 0 || percent > 100)
			throw new ControlError("invalid", "percent: it must be between 0 and 100");
		const shares = [
			{ version: first, percent: 100 - percent },
			{ version: second, percent },
		].filter((share) => share.percent > 0);
		const request = { shares, message: "traffic shifted in the dashboard", source: SOURCE };
		const { sequence } = await releases.release(asked.bearer.label, id, request);
		return shown(asked, id, sequence);
	});
}

/** The page anew, once edges serve what was committed. */
async function shown({ c, control }: Asked, id: FunctionId, sequence: Sequence): Promise<Response> {
	await control.served(sequence);
	return c.redirect(`${pathOf(id)}/releases`, 303);
}

function releasesBody(
	{ bearer, session }: Asked,
	id: FunctionId,
	releases: readonly ReleaseDocument[],
	versions: readonly VersionDocument[],
	production: string | undefined,
): Html {
	const mayChange = bearer.allows("deploy", id.tenant, id.name);
	const numbers = new Map(versions.map(({ id: version, number }) => [version, number]));
	const shares = (one: ReleaseDocument) =>
		one.shares
			.map(({ version, percent }) => `${numbers.get(version) ?? "?"} (${version.slice(0, 8)}) ${percent} %`)
			.join(", ");
	const now = releases.find((one) => one.id === production);
	const before = releases.find(
		(one) => one.alias === PRODUCTION && JSON.stringify(one.shares) !== JSON.stringify(now?.shares),
	);
	const field = html`<input type="hidden" name="form" value="${session.formToken}">`;
	const rows = releases
		.slice(0, SHOWN)
		.map(
			(one) =>
				html`<tr><td>${time(one.created)}</td><td>${one.alias}${one === now && html` <span class="tag good">now</span>`}</td><td>${shares(one)}</td><td>${one.author}</td><td>${one.source}</td><td>${one.message.slice(0, 300)}</td></tr>`,
		);
	const versionRows = versions.slice(0, SHOWN).map((one) => {
		const isServed = now?.shares.some(({ version, percent }) => version === one.id && percent === 100);
		const to =
			mayChange &&
			!isServed &&
			confirmed(id, field, `Give all traffic to version ${one.number}`, one.id, `to-${one.number}`);
		return html`<tr><td class="number">${one.number}</td><td><code>${one.id.slice(0, 8)}</code></td><td>${time(one.created)}</td><td class="number">${bytes(one.size)}</td><td>${one.author}</td><td>${one.source}</td><td>${one.message.slice(0, 300)}</td><td>${to}</td></tr>`;
	});
	return html`${
		mayChange &&
		before !== undefined &&
		html`<section><h2>Go back</h2>
<p>Before, the traffic went to version ${shares(before)}.</p>${confirmed(id, field, "Roll back", "", "rollback")}</section>`
	}
${mayChange && versions.length > 1 && slider(id, field, versions, now)}
<h2>Releases</h2>
${table("Releases", ["Time", "Alias", "Versions", "Who", "By", "Message"], rows, "Nothing was released yet.")}
<h2>Versions</h2>
${table("Versions", ["Number", "Id", "Uploaded", "Size", "Who", "By", "Message", html`<span class="unseen">What can be done</span>`], versionRows, "Nothing was uploaded yet.")}`;
}

/** A button, and another one that does it. */
function confirmed(id: FunctionId, field: Html, name: string, version: string, key: string): Html {
	return html`<button type="button" popovertarget="${key}">${name} …</button>
<form popover class="dialog" id="${key}" method="post" action="${pathOf(id)}/rollback" role="dialog" aria-label="${name}">
${field}<input type="hidden" name="version" value="${version}">
<p>${name} of <b>${id.name}</b>? Requests get it within a second; what is at work finishes where it is.</p>
<p class="bar"><button class="main">${name}</button> <button type="button" popovertarget="${key}" popovertargetaction="hide">Leave it as it is</button></p>
</form>`;
}

/** Traffic between two versions. */
function slider(
	id: FunctionId,
	field: Html,
	versions: readonly VersionDocument[],
	now: ReleaseDocument | undefined,
): Html {
	const [first, second] = now?.shares ?? [];
	const other = second?.version ?? versions.find(({ id: version }) => version !== first?.version)?.id;
	const options = (selected: string | undefined) =>
		versions
			.slice(0, SHOWN)
			.map((one) =>
				one.id === selected
					? html`<option value="${one.id}" selected>${one.number} · ${one.id.slice(0, 8)}</option>`
					: html`<option value="${one.id}">${one.number} · ${one.id.slice(0, 8)}</option>`,
			);
	const percent = second?.percent ?? 0;
	return html`<section><h2>Shift traffic</h2>
<form class="bar" method="post" action="${pathOf(id)}/traffic">
${field}
<label for="first">Version</label><select id="first" name="first">${options(first?.version)}</select>
<label for="percent">Share of the other one</label>
<input id="percent" name="percent" type="range" min="0" max="100" step="1" value="${percent}" data-output="share">
<output id="share" for="percent">${percent}</output> %
<label for="second">Other version</label><select id="second" name="second">${options(other)}</select>
<button>Release</button>
</form></section>`;
}
