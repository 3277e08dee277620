import type { Limits } from "../limits/limits.ts";

/**
 * How many calls of bindings a request may make, subrequests first of all, how many at once, and how much each may
 * take.
 */
export type CallLimits = Pick<Limits, "subrequests" | "concurrentSubrequests" | "subrequestMs" | "subrequestBodyBytes">;

/** Told when a limit is exceeded, with what happened. */
export type OnExceeded = (limit: keyof CallLimits, message: string) => void;

/** How long one call may keep its function waiting, and how much it may bring. */
export class CallBounds {
	readonly #limits: CallLimits;
	readonly #target: string;
	readonly #onExceeded: OnExceeded;
	#timer: NodeJS.Timeout | null = null;

	/** `target` is whom it goes to, which is named where a limit is exceeded. */
	constructor(limits: CallLimits, target: string, onExceeded: OnExceeded) {
		this.#limits = limits;
		this.#target = target;
		this.#onExceeded = onExceeded;
	}

	/** Waits for something that the other side does. Rejects once that has taken too long. */
	wait<T>(coming: Promise<T>): Promise<T> {
		const { subrequestMs } = this.#limits;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#timer = null; // It is not to begin anew.
				reject(this.#exceeded("subrequestMs", `sent nothing for ${subrequestMs} ms`));
			}, subrequestMs);
			this.#timer = timer;
			// Whatever comes of it after the wait has failed is lost.
			const settled = () => clearTimeout(timer);
			coming.then(resolve, reject).then(settled, settled);
		});
	}

	/** Something has moved: the wait begins anew. */
	progress(): void {
		this.#timer?.refresh();
	}

	/** Throws if a body of so many bytes is too large. */
	size(bytes: number): void {
		const most = this.#limits.subrequestBodyBytes;
		if (bytes > most) throw this.#exceeded("subrequestBodyBytes", `sent more than ${most} bytes`);
	}

	/** The body as it comes, within its bounds, or of any size. The time that its reader takes does not count. */
	async *body(source: AsyncIterable<Uint8Array>, ofAnySize = false): AsyncGenerator<Uint8Array> {
		const parts = source[Symbol.asyncIterator]();
		let bytes = 0;
		let over = false;
		try {
			for (;;) {
				const { done, value } = await this.wait(parts.next());
				over = done === true;
				if (over) return;
				bytes += value.byteLength;
				if (!ofAnySize) this.size(bytes);
				yield value;
			}
		} finally {
			// Not awaited: a source that has fallen silent would not answer this either.
			if (!over) parts.return?.().catch(() => undefined);
		}
	}

	#exceeded(limit: keyof CallLimits, what: string): Error {
		const message = `${this.#target} ${what}`;
		this.#onExceeded(limit, `a subrequest was ended: ${message}`);
		return new Error(message);
	}
}
