/** Stands between messages, and before the letters that stand for others. No console writes either of them. */
const SEPARATOR = "\x1e";
const ESCAPE = "\x1a";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const SPECIAL = /[\0\x1a\x1e]|\p{Surrogate}/gu;
/** What nearly no text has. Halves of pairs that are whole are among it, since to tell them apart takes longer. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const PERHAPS_SPECIAL = /[\0\x1a\x1e\ud800-\udfff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPED = /\x1a([0-9a-f]{4})/g;

/** A message as it is stored and searched: SQLite's text has no letter 0, and no half of a surrogate pair. */
export function storedText(message: string): string {
	if (!PERHAPS_SPECIAL.test(message)) return message;
	return message.replace(SPECIAL, (letter) => ESCAPE + letter.charCodeAt(0).toString(16).padStart(4, "0"));
}

export function storedMessages(messages: readonly string[]): string {
	return messages.map(storedText).join(SEPARATOR);
}

export function messagesIn(stored: string): string[] {
	return stored
		.split(SEPARATOR)
		.map((text) => text.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))));
}
