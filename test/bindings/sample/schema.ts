/** What the sample is asked for: a word, then a text. */
export type Asked = "say" | "shout" | "stream" | "wait";

export function encodeAsked(what: Asked, text: string): string {
	return `${what} ${text}`;
}

const ASKED = /^(say|shout|stream|wait) ([\s\S]*)$/;

/** `null` for what `encodeAsked` never makes. */
export function decodeAsked(argument: string): { what: Asked; text: string } | null {
	const match = ASKED.exec(argument);
	return match === null ? null : { what: match[1] as Asked, text: match[2] };
}
