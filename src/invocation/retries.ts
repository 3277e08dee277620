/** An event is started at most so often where its sandbox is lost each time. */
const MAX_ATTEMPTS = 3;
/** Being moved away from behind a long turn is not its fault, and may happen so often on top. */
const MAX_MOVES = 5;

/** How often an event was started, and may be again. */
export class Retries {
	attempts = 0;
	/** How often its sandbox, or its isolate, was lost under it. */
	#losses = 0;

	/** Whether it may be started once more, for whatever reason. */
	get left(): boolean {
		return this.attempts < MAX_ATTEMPTS + MAX_MOVES;
	}

	/** Its sandbox was lost. Returns whether it may be started again after that. */
	lose(): boolean {
		return ++this.#losses < MAX_ATTEMPTS && this.left;
	}
}
