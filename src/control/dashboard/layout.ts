import type { Bearer } from "../tokens.ts";
import type { Assets } from "./assets.ts";
import { type Html, html, NOTHING, type Part, raw } from "./html.ts";

/** How colours are: as the system has them, or as somebody wants them here. */
export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** What a page shows. */
export interface View {
	title: string;
	/** The path of the entry of the navigation that it is below. */
	section?: string;
	/** What it is below, from the top. */
	trail?: readonly { name: string; path: string }[];
	body: Html;
	/** Modules that it needs beside `page.js`. */
	scripts?: readonly ("tail.js" | "charts.js")[];
}

/** Who looks at a page, and how. */
export interface Viewer {
	bearer: Bearer;
	formToken: string;
	theme: Theme;
	path: string;
}

interface Entry {
	name: string;
	path: string;
	isFor: (bearer: Bearer) => boolean;
}

const all = () => true;
const ofAllTenants = ({ tenant }: Bearer) => tenant === null;
const NAVIGATION: readonly Entry[] = [
	{ name: "Functions", path: "/", isFor: all },
	{ name: "Logs", path: "/logs", isFor: all },
	{ name: "Usage", path: "/usage", isFor: all },
	{ name: "Alerts", path: "/alerts", isFor: all },
	{ name: "Machine", path: "/machine", isFor: ofAllTenants },
	{ name: "Audit", path: "/audit", isFor: (bearer) => bearer.allows("admin", null) },
	{ name: "API", path: "/api", isFor: all },
];

/** A whole document; without a viewer it is one for whoever has not logged in. */
export function document(assets: Assets, view: View, viewer: Viewer | null): string {
	const { title, body, scripts = [] } = view;
	const draws = scripts.includes("charts.js");
	const theme = viewer?.theme ?? "auto";
	const page = html`<html lang="en" data-theme="${theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · atoll</title>
<link rel="icon" href="data:,">
${draws && html`<link rel="stylesheet" href="${assets.path("uPlot.min.css")}">`}
<link rel="stylesheet" href="${assets.path("style.css")}">
${draws && html`<script src="${assets.path("uPlot.iife.min.js")}" defer></script>`}
${["page.js" as const, ...scripts].map((name) => html`<script type="module" src="${assets.path(name)}"></script>`)}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
${viewer === null ? NOTHING : header(view, viewer)}
<main id="main" tabindex="-1">
${trailOf(view)}
${body}
</main>
<footer>Times are in UTC.</footer>
<div id="said" class="said" role="status" aria-live="polite"></div>
</body>
</html>
`;
	return `<!doctype html>\n${page}`;
}

function header({ section }: View, { bearer, formToken, theme, path }: Viewer): Html {
	const entries = NAVIGATION.filter(({ isFor }) => isFor(bearer));
	const link = (one: Entry) =>
		html`<li><a href="${one.path}"${section === one.path && raw(' aria-current="page"')}>${one.name}</a></li>`;
	const { label, scope, tenant } = bearer.grant;
	return html`<header class="top">
<a class="brand" href="/">atoll</a>
<nav aria-label="Main"><ul>${entries.map(link)}</ul></nav>
<form class="theme" method="post" action="/theme">
<input type="hidden" name="form" value="${formToken}"><input type="hidden" name="back" value="${path}">
<label for="theme">Colours</label>
<select id="theme" name="theme" data-submits>${THEMES.map((one) => html`<option${one === theme && raw(" selected")}>${one}</option>`)}</select>
<noscript><button>Set</button></noscript>
</form>
<form class="who" method="post" action="/logout">
<input type="hidden" name="form" value="${formToken}">
<span title="the token's label, scope and tenant"><b>${label}</b> ${scope}${tenant === null ? "" : ` of ${tenant}`}</span>
<button>Log out</button>
</form>
</header>`;
}

function trailOf({ trail = [], title }: View): Html {
	const above = trail.map(({ name, path }) => html`<li><a href="${path}">${name}</a></li>`);
	const bread = above.length > 0 && html`<nav aria-label="Above this page" class="trail"><ol>${above}</ol></nav>`;
	return html`${bread}<h1>${title}</h1>`;
}

/** A table that scrolls in itself: its head, and its rows. */
export function table(label: string, head: readonly Part[], rows: readonly Part[], empty = "Nothing."): Html {
	if (rows.length === 0) return html`<p class="note">${empty}</p>`;
	return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}
