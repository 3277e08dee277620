import type { BodyMode, Client, RequestHead } from "./messages.ts";

/*
 * A request's head as it enters an isolate: lines, of which the last are the headers' names and values in turn. No part of
 * it holds a line feed. Most functions look at few of its parts, so the rest stays text until somebody does; as JSON an
 * isolate that has had few requests took as long for it as for all else that a request takes.
 */

/** A head as it has come in. */
export interface ReceivedHead {
	method: string;
	body: BodyMode;
	/** For `decodeClient`. */
	client: string;
	url: string;
	/** For `decodeList`. */
	headers: string;
}

export function encodeRequestHead({ method, body, client, url, headers }: RequestHead): string {
	const from = client === null ? "" : `${client.ip} ${client.port} ${client.protocol} ${client.tls ?? ""}`;
	const fields = headers.length === 0 ? "" : `\n${headers.join("\n")}`;
	return `${method}\n${body}\n${from}\n${url}${fields}`;
}

export function decodeRequestHead(text: string): ReceivedHead {
	const body = text.indexOf("\n") + 1;
	const client = text.indexOf("\n", body) + 1;
	const url = text.indexOf("\n", client) + 1;
	const end = text.indexOf("\n", url);
	const isBare = end === -1;
	return {
		method: text.slice(0, body - 1),
		body: text.slice(body, client - 1) as BodyMode,
		client: text.slice(client, url - 1),
		url: isBare ? text.slice(url) : text.slice(url, end),
		headers: isBare ? "" : text.slice(end + 1),
	};
}

/** Name, value, name, value, … */
export function decodeList(headers: string): string[] {
	return headers === "" ? [] : headers.split("\n");
}

/** Who is at the other end; `null` where nobody is. */
export function decodeClient(client: string): Client | null {
	if (client === "") return null;
	const [ip, port, protocol, tls] = client.split(" ");
	return { ip, port: Number(port), protocol, tls: tls === "" ? null : tls };
}
