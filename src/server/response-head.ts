import { isHopByHop } from "../effects/hop-by-hop.ts";
import type { ResponseHead } from "../link/messages.ts";

/**
 * The head of a function's response as its client may get it: without the headers of one connection, and with the platform's own
 * only from the platform. Throws an Error that says what is wrong with one that cannot be sent. An answer with a WebSocket has
 * the status 101.
 */
export function sendableHead(head: ResponseHead, requestId: string): ResponseHead {
	const upgrade = head.status === 101 && Number.isInteger(head.socket);
	const sendable = Number.isInteger(head.status) && head.status >= 200 && head.status <= 599;
	if ((!sendable && !upgrade) || !Array.isArray(head.headers)) throw new Error(`status ${head.status} cannot be sent`);
	const headers = ["x-atoll-request-id", requestId];
	for (let i = 0; i < head.headers.length; i += 2) {
		const [name, value] = [head.headers[i], head.headers[i + 1]];
		if (typeof name !== "string" || typeof value !== "string") throw new Error("a header is not a string");
		if (!isHopByHop(name) && !name.startsWith("x-atoll-")) headers.push(name, value);
	}
	return { ...head, headers };
}
