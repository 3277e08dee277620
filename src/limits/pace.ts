import { LIGHT_START_US } from "../link/protocol.ts";
import type { Microseconds } from "../units.ts";
import { Demand } from "./demand.ts";

const LIGHT_REQUESTS = 20;
/** More light requests than these say nothing more, and each slow one takes so many away. */
const MOST_LIGHT = 40;
const SLOW_COSTS = 10;

/**
 * Whether a version has proven light. A new one starts in the heavy lane, so that nobody waits behind it should it
 * compute; after 20 requests with light turns it moves to the normal lane. It moves back when a turn had to be cut
 * there, or when more than one in eleven of its requests has slow turns or fails: the first turn of a cold isolate
 * may be slow, on a busy machine.
 */
export class Pace {
	#light = 0;
	#done = 0;
	/** Whether it starts so fast that nobody is kept waiting by that. */
	readonly startsLight: boolean;
	readonly demand = new Demand();

	constructor(startUs: Microseconds) {
		this.startsLight = startUs < LIGHT_START_US;
	}

	get lane(): "normal" | "heavy" {
		return this.startsLight && this.#light >= LIGHT_REQUESTS ? "normal" : "heavy";
	}

	/** Whether it has served so many requests that little is to be feared of the next. */
	get proven(): boolean {
		return this.#done >= LIGHT_REQUESTS;
	}

	/** A request is done; `light` tells whether all of its turns were. */
	note(light: boolean): void {
		this.#done++;
		this.#light = light ? Math.min(this.#light + 1, MOST_LIGHT) : Math.max(this.#light - SLOW_COSTS, 0);
	}

	/** A turn was too long for the normal lane. */
	cut(): void {
		this.#light = 0;
	}
}
