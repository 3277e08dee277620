import { type ErrorDescription, MAX_ERROR_TEXT } from "../link/messages.ts";

/**
 * Describes what isolated-vm throws in the place of what a function threw: an error with strings of that, or a
 * primitive.
 */
export function describeThrown(thrown: unknown): ErrorDescription | { value: unknown } {
	if (thrown instanceof Error) {
		const { name, message } = thrown;
		return { name: name.slice(0, MAX_ERROR_TEXT), message: message.slice(0, MAX_ERROR_TEXT), stack: stackOf(thrown) };
	}
	if (typeof thrown === "string") return { value: thrown.slice(0, MAX_ERROR_TEXT) };
	return { value: typeof thrown === "bigint" ? String(thrown) : thrown };
}

/** A stack without the frames of the sandbox itself: what is left points into the function's script. */
function stackOf(error: Error): string {
	const stack = typeof error.stack === "string" ? error.stack.slice(0, 2 * MAX_ERROR_TEXT) : "";
	const boundary = stack.indexOf("\n    at (<isolated-vm boundary>)");
	const lines = (boundary < 0 ? stack : stack.slice(0, boundary)).split("\n");
	return lines.filter((line) => !/^\s+at .*(?:\(|at )(?:node:|file:|\/|[A-Z]:\\)/.test(line)).join("\n");
}
