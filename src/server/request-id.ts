import { randomBytes } from "node:crypto";

const prefix = randomBytes(8).toString("hex");
let counter = 0;

/** A request's id: unique over processes and machines by its first half, over time by its second. */
export function nextRequestId(): string {
	counter = (counter + 1) % 2 ** 48;
	return `${prefix}-${counter.toString(16).padStart(8, "0")}`;
}
