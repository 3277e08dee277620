import type { Milliseconds } from "../../units.ts";

/** Others have their turn after so long. */
const SLICE_MS: Milliseconds = 5;

/** Work that is done in slices, so that nobody waits for all of it. */
export class Slice {
	#began = performance.now();

	/** Whether it is others' turn: `pass` has to be waited for then. */
	get isOver(): boolean {
		return performance.now() - this.#began >= SLICE_MS;
	}

	async pass(): Promise<void> {
		await new Promise((resolve) => setImmediate(resolve));
		this.#began = performance.now();
	}
}
