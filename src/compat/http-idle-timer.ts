/** Tells a message that nothing has come or gone for so long. */
export class IdleTimer {
	readonly #emitter: { emit(name: string): boolean; once(name: string, listener: () => void): unknown };
	#milliseconds = 0;
	#timer: number | undefined;

	constructor(emitter: { emit(name: string): boolean; once(name: string, listener: () => void): unknown }) {
		this.#emitter = emitter;
	}

	/** 0 stops it. */
	set(milliseconds: number, callback?: () => void): void {
		this.#milliseconds = milliseconds;
		if (callback !== undefined) this.#emitter.once("timeout", callback);
		this.refresh();
	}

	refresh(): void {
		clearTimeout(this.#timer);
		if (this.#milliseconds > 0) this.#timer = setTimeout(() => this.#emitter.emit("timeout"), this.#milliseconds);
	}
}
