import type { Milliseconds } from "../../../units.ts";
import type { Form } from "./receiver.ts";

/** It is told again that an alert fires well before it takes it for over. */
export const RESEND_MS: Milliseconds = 60_000;
const LASTS_MS: Milliseconds = 5 * RESEND_MS;

/** https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
export const alertmanager: Form = ({ alerts, url: generatorURL, isTest }, { url, secret }, now) => {
	const posted = alerts.map(({ labels, annotations, value, threshold, startsAt, endsAt }) => ({
		labels: { ...labels, ...(isTest && { test: "true" }) },
		annotations: { ...annotations, value: String(value), threshold },
		startsAt: new Date(startsAt).toISOString(),
		endsAt: new Date(endsAt ?? now + LASTS_MS).toISOString(),
		generatorURL,
	}));
	return {
		url: `${url.replace(/\/$/, "")}/api/v2/alerts`,
		headers: {
			"content-type": "application/json",
			...(secret !== null && { authorization: `Bearer ${secret}` }),
		},
		body: JSON.stringify(posted),
	};
};
