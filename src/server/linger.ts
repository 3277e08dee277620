import type { Socket } from "node:net";
import type { Milliseconds } from "../units.ts";

/** So long a client has to read an answer that came before the end of its request. */
const LINGER_MS: Milliseconds = 2000;

/**
 * Has a connection whose request has not come in whole end after its answer for the client first, and go on reading
 * for a moment: one that is closed with something unread is reset, and the client may lose the answer on its way
 * (https://www.rfc-editor.org/rfc/rfc9112#section-9.6).
 */
export function linger(socket: Socket): void {
	// What node:http calls once the last response of a connection has left.
	socket.destroySoon = () => {
		const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
		socket.once("close", () => clearTimeout(timer));
		socket.once("end", () => socket.destroy());
		socket.end();
	};
}
