/** Errors as Node's own modules throw them, which are told apart by their codes: https://nodejs.org/api/errors.html */
export const withCode = <E extends Error>(error: E, code: string): E & { code: string } =>
	Object.assign(error, { code });

/** For an argument that is something else than what is asked for. */
export const invalidType = (message: string): Error => withCode(new TypeError(message), "ERR_INVALID_ARG_TYPE");

/** For what a signal has ended. */
export function aborted(cause: unknown): Error {
	const error = withCode(new Error("The operation was aborted", { cause }), "ABORT_ERR");
	return Object.defineProperty(error, "name", { value: "AbortError", writable: true, configurable: true });
}
