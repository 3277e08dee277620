import { randomUUID } from "node:crypto";
import { headerOf, jsonIn, type Scheme } from "../scheme.ts";
import { isSigned, signaturesOf } from "../signatures.ts";

/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
export const github: Scheme = ({ headers, secrets, source, now }) => {
	const [, signature] = /^sha256=([0-9a-f]{64})$/.exec(headerOf(headers, "x-hub-signature-256", 71) ?? "") ?? [];
	const type = headerOf(headers, "x-github-event", 100);
	if (signature === undefined || type === null) return null;
	return (body) => {
		if (!isSigned([Buffer.from(signature, "hex")], signaturesOf(secrets, body))) return null;
		const key = headerOf(headers, "x-github-delivery", 100) ?? "";
		const isJson = jsonIn(body) !== undefined;
		const datacontenttype = isJson ? "application/json" : (headerOf(headers, "content-type", 200) ?? "text/plain");
		const attributes = { specversion: "1.0" as const, id: key || randomUUID(), source, type };
		const time = new Date(now).toISOString();
		return [
			{
				attributes: { ...attributes, time, datacontenttype },
				data: { kind: isJson ? "json" : "text", bytes: body },
				key,
			},
		];
	};
};
