import type { FunctionIsolate } from "./isolate.ts";
import type { IsolateMessage } from "./outbox.ts";
import type { RunningAttempt } from "./running-attempt.ts";

/** A message of an isolate, and the attempt whose turn has put it into the outbox. */
export interface Said {
	attempt: RunningAttempt;
	isolate: FunctionIsolate;
	message: IsolateMessage;
}

/** What turns of a function have said and has not left yet, in its order. */
export class Unsaid {
	readonly #messages: Said[] = [];
	#taken = 0;

	get empty(): boolean {
		return this.#taken === this.#messages.length;
	}

	add(said: Said): void {
		this.#messages.push(said);
	}

	take(): Said | undefined {
		return this.empty ? undefined : this.#messages[this.#taken++];
	}
}
