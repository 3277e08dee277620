import type { Microseconds } from "../isolates/protocol.ts";

const LIGHT_START_US: Microseconds = 10_000;
const LIGHT_REQUESTS = 20;

/**
 * Whether a version has proven light. A new one starts in the heavy lane, so that nobody waits behind it should it compute;
 * after 20 requests with light turns it moves to the normal lane, and back as soon as it stops being light.
 */
export class Pace {
	#light = 0;
	#done = 0;
	readonly #startsLight: boolean;

	constructor(startUs: Microseconds) {
		this.#startsLight = startUs < LIGHT_START_US;
	}

	get lane(): "normal" | "heavy" {
		return this.#startsLight && this.#light >= LIGHT_REQUESTS ? "normal" : "heavy";
	}

	/** Whether it has served so many requests that little is to be feared of the next. */
	get proven(): boolean {
		return this.#done >= LIGHT_REQUESTS;
	}

	/** A request is done; `light` tells whether all of its turns were. */
	note(light: boolean): void {
		this.#done++;
		if (light) this.#light++;
		else this.#light = 0;
	}
}
