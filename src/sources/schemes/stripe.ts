import { headerOf, jsonIn, Malformed, type Scheme, textOf } from "../scheme.ts";
import { isRecent, isSigned, MOST_SIGNATURES, signaturesOf } from "../signatures.ts";

/** https://docs.stripe.com/webhooks#verify-manually */
export const stripe: Scheme = ({ headers, secrets, source, now }) => {
	const parts = (headerOf(headers, "stripe-signature", 2048) ?? "").split(",").map((part) => part.trim());
	const valuesOf = (name: string) =>
		parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
	const [time = ""] = valuesOf("t");
	const given = valuesOf("v1").filter((value) => /^[0-9a-f]{64}$/.test(value));
	if (!isRecent(time, now) || given.length === 0 || given.length > MOST_SIGNATURES) return null;
	return (body) => {
		const signatures = given.map((value) => Buffer.from(value, "hex"));
		if (!isSigned(signatures, signaturesOf(secrets, `${time}.`, body))) return null;
		const event = jsonIn(body);
		const [id, type] = [textOf(event, "id"), textOf(event, "type")];
		if (id === "" || type === "") throw new Malformed("the body is no event: it needs an id and a type");
		const attributes = {
			specversion: "1.0" as const,
			id,
			source,
			type,
			time: new Date(Number(time) * 1000).toISOString(),
		};
		return [
			{
				attributes: { ...attributes, datacontenttype: "application/json" },
				data: { kind: "json", bytes: body },
				key: id,
			},
		];
	};
};
