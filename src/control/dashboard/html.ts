import { html as escaping, raw } from "hono/html";

export { raw };

/** Markup that is safe to send: made by `html` alone. */
export type Html = ReturnType<typeof raw>;
/** What may stand in it: text is escaped, and markup is not. */
export type Part = Html | string | number | false | null | undefined | readonly Part[];

/** What a terminal or browser acts on and nobody sees: controls but tab and line feed, and what turns text around. */
const UNSEEN =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** A text in which each character that is not seen stands as its code. */
export function visible(text: string): string {
	return text
		.toWellFormed()
		.replace(UNSEEN, (one) => `\\u{${(one.codePointAt(0) as number).toString(16).padStart(4, "0")}}`);
}

/** Markup in which all that stands between is text, whoever has sent it. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
	return escaping(strings, ...parts.map(shown)) as Html;
}

export const NOTHING: Html = raw("");

/** Of an attribute that is sent back: the text as it is. */
export function verbatim(text: string): Html {
	return escaping`${text.toWellFormed()}` as Html;
}

function shown(part: Part): unknown {
	if (typeof part === "string") return visible(part);
	if (Array.isArray(part)) return part.map(shown);
	// What was parsed may claim to be markup; markup itself is no plain object.
	return typeof part === "object" && part !== null && !(part instanceof String) ? visible(String(part)) : part;
}
