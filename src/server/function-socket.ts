import type { Invocation } from "../invocation/invocation.ts";
import type { SocketEnd } from "./exchange.ts";

/** The function's end of the WebSocket that it has answered with, for whoever holds the client's. */
export class FunctionSocket implements SocketEnd {
	readonly #invocation: Invocation;

	constructor(invocation: Invocation) {
		this.#invocation = invocation;
	}

	message(data: string | Uint8Array): void {
		this.#invocation.attempt?.socketMessage(data);
	}

	taken(): void {} // The function is not told how much of its messages the client has taken.

	/** The function may still do what it does when its WebSocket closes, within the time that it has for a request. */
	close(code: number, reason: string): void {
		const invocation = this.#invocation;
		if (invocation.recording.finished) return;
		invocation.event.abandon();
		invocation.startTimer();
		invocation.attempt?.socketClose(code, reason);
	}
}
