/** Why a handler has given no response: it threw, gave something else, or is not there. */
export interface Exception {
	code: "exception" | "invalid_response" | "no_handler";
	message: string;
	stack: string;
}

const HEAD = /^(exception|invalid_response|no_handler) (\d{1,8}) /;

/** The code, the message's length, then message and stack: `exception 4 oopsError: oops …`. */
export function encodeException({ code, message, stack }: Exception): string {
	return `${code} ${message.length} ${message}${stack}`;
}

/** `null` for what is none. */
export function decodeException(text: string): Exception | null {
	const head = HEAD.exec(text);
	if (head === null) return null;
	const start = head[0].length;
	const end = start + Number(head[2]);
	if (end > text.length) return null;
	return { code: head[1] as Exception["code"], message: text.slice(start, end), stack: text.slice(end) };
}
