import type { Alert } from "../../alerts/alert.ts";
import type { Delivery } from "../../alerts/deliveries.ts";
import { type Rule, thresholdOf } from "../../alerts/rule.ts";
import type { Owner } from "../../alerts/rules.ts";
import { silenceSchema } from "../../alerts/silence.ts";
import type { Control } from "../../control.ts";
import { ControlError } from "../../control-error.ts";
import { checked } from "../../json.ts";
import type { AlertSilenceDocument } from "../../store/documents.ts";
import type { Bearer } from "../../tokens.ts";
import { askedTenant } from "../asked-tenant.ts";
import { longText, time } from "../format.ts";
import { pathOf } from "../function-index.ts";
import { type Html, html, raw } from "../html.ts";
import { table, type View } from "../layout.ts";
import type { Asked, Pages } from "../pages.ts";

/** So many of each are shown. */
const MOST_SHOWN = 200;
const HOUR = 3600_000;
/** For how many hours an alert can be silenced by a click. */
const SILENCES = [1, 4, 24];
/** What of an alert's labels a silence is made of. */
const OF_SILENCE = ["alertname", "tenant", "function"];

export function addAlerts(pages: Pages, { alerts }: Control): void {
	pages.get("/alerts", async (asked) => {
		const owner = askedTenant(asked);
		const { functions } = asked.bearer.grant;
		const seen = alerts.list(owner).filter((one) => functions === null || functions.includes(one.function));
		const whose = asked.bearer.tenant === null && tenantForm(owner);
		const body = html`${whose}<div data-refresh="10">${alertList(asked, owner, seen)}</div>`;
		// What is all of a tenant's functions' is not for a token that is held to some of them.
		return alertsView(owner, functions === null ? html`${body}${await rest(asked, owner)}` : body);
	});
	pages.post("/alerts/silence", async (asked, form) => {
		const owner = changedOwner(asked, form);
		const alert = alerts.list(owner).find(({ id }) => id === form.get("alert"));
		if (alert === undefined) throw new ControlError("not_found", "the alert is over");
		const hours = SILENCES.find((one) => String(one) === form.get("hours")) ?? SILENCES[0];
		const matchers = OF_SILENCE.flatMap((name) =>
			Object.hasOwn(alert.labels, name) ? [`${name}=${alert.labels[name]}`] : [],
		);
		const until = new Date(Date.now() + hours * HOUR).toISOString();
		const silence = checked(silenceSchema, { matchers, until, comment: "by the dashboard" });
		await alerts.silences.add(asked.bearer.label, owner, silence);
		return asked.c.redirect(alertsPath(owner), 303);
	});
	pages.post("/alerts/unsilence", async (asked, form) => {
		const owner = changedOwner(asked, form);
		await alerts.silences.remove(asked.bearer.label, owner, String(form.get("silence")));
		return asked.c.redirect(alertsPath(owner), 303);
	});
}

/** As the API has it: an operator's silences are an admin's to make. */
const mayChange = (bearer: Bearer, owner: Owner) =>
	bearer.grant.functions === null && bearer.allows(owner === null ? "admin" : "deploy", owner);

function changedOwner(asked: Asked, form: FormData): Owner {
	const owner = askedTenant(asked, form.get("tenant"));
	asked.bearer.requireStored(owner === null ? "admin" : "deploy", owner ?? "");
	return owner;
}

/** A tenant's rules and receivers are its own, and on a page of their own. */
const tenantForm = (owner: Owner): Html => html`<form class="bar" method="get" action="/alerts">
<label>Rules and receivers of <input name="tenant" value="${owner ?? ""}" placeholder="the operator" size="16"></label>
<button>Show</button></form>`;

const alertsPath = (owner: Owner) => (owner === null ? "/alerts" : `/alerts?${new URLSearchParams({ tenant: owner })}`);

function alertList({ bearer, session }: Asked, owner: Owner, all: readonly Alert[]): Html {
	const may = mayChange(bearer, owner);
	const of = ({ tenant, function: name }: Alert) => {
		if (name !== "")
			return html`<a href="${pathOf({ tenant, name })}">${name}</a> <span class="tenant">${tenant}</span>`;
		return tenant === "" ? "the server" : tenant;
	};
	const silence = (one: Alert) =>
		may &&
		one.state !== "resolved" &&
		html`<form class="inline" method="post" action="/alerts/silence"><input type="hidden" name="form" value="${session.formToken}"><input type="hidden" name="tenant" value="${owner ?? ""}"><input type="hidden" name="alert" value="${one.id}"><select name="hours" aria-label="For how long">${SILENCES.map((hours) => html`<option value="${hours}">${hours} h</option>`)}</select> <button>Silence</button></form>`;
	const rows = all.slice(0, MOST_SHOWN).map((one) => {
		const about = Object.entries(one.annotations).map(([, text]) => longText(text));
		const value = one.value === null ? "–" : String(Number(one.value.toPrecision(4)));
		return html`<tr><td><b class="${one.state === "firing" ? "bad" : "note"}">${one.state}</b></td><td>${one.severity}</td><th scope="row">${one.rule}<div class="note">${about}</div></th><td>${of(one)}</td><td class="number">${value} <span class="note">${one.threshold}</span></td><td>${time(one.startsAt)}</td><td>${one.endsAt === null ? "" : time(one.endsAt)}</td><td>${silence(one)}</td></tr>`;
	});
	const head = [
		"State",
		"Severity",
		"Rule",
		"Of",
		html`<span class="number">Value</span>`,
		"Since",
		"Until",
		html`<span class="unseen">What can be done</span>`,
	];
	const firing = all.filter(({ state }) => state === "firing").length;
	return html`<p class="note">${firing} firing, ${all.filter(({ state }) => state === "pending").length} pending.</p>
${table("Alerts", head, rows, "No alert is firing or pending, and none was of late.")}`;
}

async function rest({ control, bearer, session }: Asked, owner: Owner): Promise<Html> {
	const { alerts } = control;
	const silences = await alerts.silences.list(owner);
	const may = mayChange(bearer, owner);
	return html`<h2>Silences</h2>
${table(
	"Silences",
	["Alerts", "From", "Until", "Who", "Why", html`<span class="unseen">What can be done</span>`],
	silences.map((one) => silenceRow(one, may && session.formToken, owner)),
	"None.",
)}
<h2>Rules</h2>
${table("Rules", ["Rule", "Whose", "Looks at", "Exceeded at", "Window", "Severity", "Last evaluation"], (await alerts.rulesOf(owner)).slice(0, MOST_SHOWN).map(ruleRow), "None.")}
<h2>Deliveries</h2>
${table("Deliveries", ["Time", "Receiver", "What", "State", "Attempts", "Answer"], alerts.deliveriesOf(owner).slice(0, MOST_SHOWN).map(deliveryRow), "Nobody was told anything of late: atoll alerts says how receivers are added.")}`;
}

function silenceRow(one: AlertSilenceDocument, formToken: string | false, owner: Owner): Html {
	const isOver = Date.parse(one.until) <= Date.now();
	const end =
		formToken !== false &&
		!isOver &&
		html`<form class="inline" method="post" action="/alerts/unsilence"><input type="hidden" name="form" value="${formToken}"><input type="hidden" name="tenant" value="${owner ?? ""}"><input type="hidden" name="silence" value="${one.id}"><button>End</button></form>`;
	return html`<tr><th scope="row"><code>${one.matchers.join(" ")}</code>${isOver && html` <span class="tag">over</span>`}</th><td>${time(one.from)}</td><td>${time(one.until)}</td><td>${one.by}</td><td>${longText(one.comment)}</td><td>${end}</td></tr>`;
}

function ruleRow(rule: Rule & { lastError: string | null }): Html {
	const { name, origin, metric, query, window, severity, lastError } = rule;
	const outcome = lastError === null ? "as it should" : html`<b class="bad">${lastError.slice(0, 500)}</b>`;
	return html`<tr><th scope="row">${name}</th><td>${origin}</td><td><code>${query ?? metric ?? ""}</code></td><td>${thresholdOf(rule)}</td><td>${window}</td><td>${severity}</td><td>${outcome}</td></tr>`;
}

function deliveryRow({ receiver, notification, state, attempts, status, error }: Delivery): Html {
	const { created, alerts, omitted, groupLabels } = notification;
	const failed = state === "failed" || state === "dropped";
	const group = Object.entries(groupLabels).map(([name, value]) => `${name}=${value}`);
	return html`<tr><td>${time(created)}</td><th scope="row">${receiver.slice(receiver.indexOf("/") + 1)}</th><td>${notification.status}: ${alerts.length + omitted} of ${group.join(", ") || "all"}</td><td${failed && raw(' class="bad"')}>${state}</td><td class="number">${attempts}</td><td>${status ?? ""} ${(error ?? "").slice(0, 500)}</td></tr>`;
}

function alertsView(owner: Owner, body: Html): View {
	return { title: owner === null ? "Alerts" : `Alerts of ${owner}`, section: "/alerts", body };
}
