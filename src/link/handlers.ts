/**
 * The names under which a module's default export may have handlers, of which a function needs one at least:
 * https://developers.cloudflare.com/workers/runtime-apis/handlers/
 */
export const HANDLERS: readonly string[] = ["fetch", "scheduled", "queue", "storage", "event"];

/**
 * Those of a list that are a handler's name, in the order of `HANDLERS`: whoever tells them has run a function's
 * code.
 */
export function handlersAmong(names: unknown): string[] {
	return Array.isArray(names) ? HANDLERS.filter((name) => names.includes(name)) : [];
}
