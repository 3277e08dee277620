/** The error for what goes beyond a limit. */
export function quotaExceeded(message: string): Error {
	const { QuotaExceededError } = require("./quota-exceeded-error.ts") as typeof import("./quota-exceeded-error.ts");
	return new QuotaExceededError(message);
}
