import { FunctionError } from "../errors.ts";

/** Why something is refused for now; `retryAfter` in seconds. */
export function overloaded(message: string, retryAfter: number): FunctionError {
	return new FunctionError("overloaded", message, { retryAfter });
}
