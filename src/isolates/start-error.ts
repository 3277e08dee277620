import type { AttemptFailure } from "../link/protocol.ts";
import type { Megabytes, Milliseconds } from "../units.ts";
import { describeThrown } from "./thrown.ts";

/** Thrown when a function's script does not get as far as giving a handler. */
export class StartError extends Error {
	readonly failure: AttemptFailure;
	constructor(failure: AttemptFailure) {
		super(failure.message);
		this.failure = failure;
	}
}

/** The function threw something before it was ready. */
export function thrownAtStart(thrown: unknown): StartError {
	const error = describeThrown(thrown);
	return "value" in error
		? new StartError({ code: "startup_failed", message: `Error: ${error.value}`, stack: "" })
		: new StartError({ code: "startup_failed", message: `${error.name}: ${error.message}`, stack: error.stack });
}

export function tooMuchMemory(limit: Megabytes): StartError {
	const message = `the function's top level needs more than ${limit} MB`;
	return new StartError({ code: "memory_limit_exceeded", message, stack: "" });
}

export function tooMuchTime(limit: Milliseconds): StartError {
	const message = `the function's top level ran for more than ${limit} ms`;
	return new StartError({ code: "startup_cpu_limit_exceeded", message, stack: "" });
}
