import type { Clock } from "../../src/control/alerts/clock.ts";

/** A clock that stands still until it is moved. */
export class MadeClock implements Clock {
	now = 1_000_000_000;
	/** How much later it is on the wall. */
	offset = 1_700_000_000_000;
	boot = "first";

	wall = () => this.now + this.offset;
	monotonic = () => this.now;
}
