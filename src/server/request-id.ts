import { randomUUID } from "node:crypto";

/**
 * A request's id: it says nothing of other requests, and nobody can guess it. Node draws the bytes for 128 of them at
 * once.
 */
export function nextRequestId(): string {
	return randomUUID();
}
