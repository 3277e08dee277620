import { signaturesOf } from "../../../sources/signatures.ts";
import type { ToldAlert } from "../notification.ts";
import type { Form } from "./receiver.ts";

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const webhook: Form = (notification, { url, secret }, now) => {
	const { id, created, status, receiver, groupLabels, alerts, omitted, isTest } = notification;
	const type = isTest ? "alerts.test" : `alerts.${status}`;
	const data = { status, receiver, groupLabels, alerts: alerts.map(told), omitted, url: notification.url };
	const body = JSON.stringify({ type, timestamp: new Date(created).toISOString(), data });
	const timestamp = String(Math.floor(now / 1000));
	const key = Buffer.from((secret ?? "").replace(/^whsec_/, ""), "base64");
	const [signature] = signaturesOf([key], `${id}.${timestamp}.`, body);
	return {
		url,
		headers: {
			"content-type": "application/json",
			"webhook-id": id,
			"webhook-timestamp": timestamp,
			"webhook-signature": `v1,${signature.toString("base64")}`,
		},
		body,
	};
};

function told({ startsAt, endsAt, ...alert }: ToldAlert) {
	const timeOf = (time: number | null) => (time === null ? null : new Date(time).toISOString());
	return { ...alert, startsAt: timeOf(startsAt), endsAt: timeOf(endsAt) };
}
