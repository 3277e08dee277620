import type { SeenRequest } from "../feed/messages.ts";
import { isSecret, REDACTED } from "../feed/redaction.ts";
import type { RequestOrigin } from "../observe/record.ts";

/** So many letters of a request's headers are told to who watches; those behind them are left out. */
const MOST_LETTERS = 8192;

/** What is told of a request to who watches its function. */
export function seenOf({ headers, client }: RequestOrigin): SeenRequest {
	const seen = new Map<string, string>();
	let letters = 0;
	for (let i = 0; i < headers.length; i += 2) {
		const name = headers[i];
		const value = isSecret(name) ? REDACTED : headers[i + 1];
		letters += name.length + value.length;
		if (letters > MOST_LETTERS) break;
		const before = seen.get(name);
		seen.set(name, before === undefined || value === REDACTED ? value : `${before}, ${value}`);
	}
	return { headers: Object.fromEntries(seen), client };
}
