/** What a database is asked for. The statements are a call's body, which the edge hands on. */
export type SqlOperation = "query" | "batch" | "exec";

/** The operation that a text names, or `null` where none does. */
export function sqlOperation(text: string): SqlOperation | null {
	return text === "query" || text === "batch" || text === "exec" ? text : null;
}
