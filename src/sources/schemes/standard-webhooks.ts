import { headerOf, jsonIn, type Scheme, textOf } from "../scheme.ts";
import { isRecent, isSigned, MOST_SIGNATURES, signaturesOf } from "../signatures.ts";

/** What an event has for a type whose body does not say it. */
const UNTYPED = "webhook";

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export const standardWebhooks: Scheme = ({ headers, secrets, source, now }) => {
	const id = headerOf(headers, "webhook-id", 200);
	const time = headerOf(headers, "webhook-timestamp", 12) ?? "";
	const given = (headerOf(headers, "webhook-signature", 2048) ?? "")
		.split(" ")
		.filter((part) => /^v1,[A-Za-z0-9+/]{43}=$/.test(part))
		.map((part) => Buffer.from(part.slice(3), "base64"));
	if (id === null || !isRecent(time, now) || given.length === 0 || given.length > MOST_SIGNATURES) return null;
	return (body) => {
		const keys = secrets.map((secret) => Buffer.from(secret.replace(/^whsec_/, ""), "base64"));
		if (!isSigned(given, signaturesOf(keys, `${id}.${time}.`, body))) return null;
		const value = jsonIn(body);
		const isJson = value !== undefined;
		const type = textOf(value, "type") || UNTYPED;
		const attributes = {
			specversion: "1.0" as const,
			id,
			source,
			type,
			time: new Date(Number(time) * 1000).toISOString(),
		};
		const datacontenttype = isJson ? "application/json" : (headerOf(headers, "content-type", 200) ?? "text/plain");
		const data = { kind: isJson ? "json" : "text", bytes: body } as const;
		return [{ attributes: { ...attributes, datacontenttype }, data, key: id }];
	};
};
