import { shown } from "../alert.ts";
import type { Notification, ToldAlert } from "../notification.ts";
import type { Form } from "./receiver.ts";

/** So many alerts have a line, and so long may each be: https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages */
const MOST_LINES = 20;
const LONGEST = 300;

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export const slack: Form = (notification, { url }) => {
	const { alerts, omitted } = notification;
	const more = omitted + Math.max(0, alerts.length - MOST_LINES);
	const lines = [
		headline(notification),
		...alerts.slice(0, MOST_LINES).map(line),
		...(more > 0 ? [`… and ${more} more`] : []),
		`<${notification.url}>`,
	];
	return { url, headers: { "content-type": "application/json" }, body: JSON.stringify({ text: lines.join("\n") }) };
};

function headline({ status, groupLabels, alerts, omitted, isTest }: Notification): string {
	const group = Object.entries(groupLabels).map(([name, value]) => `${name}=${value}`);
	const count = status === "firing" ? alerts.filter((one) => one.status === "firing").length + omitted : alerts.length;
	const what = isTest ? "TEST" : `${status.toUpperCase()}: ${count}`;
	return `*[${what}]* ${plain(group.join(" "))}`;
}

function line({ status, rule, severity, labels, annotations, value, threshold }: ToldAlert): string {
	const of = [labels.tenant, labels.function].filter(Boolean).join("/") || "the server";
	const summary = annotations.summary ?? `${shown(value)} (${threshold})`;
	return plain(`${status === "firing" ? "●" : "○"} ${severity} ${rule} ${of}: ${summary}`);
}

/** What was named by somebody else is text, and no link or mention: https://docs.slack.dev/messaging/formatting-message-text#escaping */
function plain(text: string): string {
	const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
	return short.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", " ");
}
