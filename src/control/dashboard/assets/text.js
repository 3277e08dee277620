/** What a browser acts on and nobody sees, as html.ts has it: each such character stands as its code. */
const UNSEEN =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const SHOWN = 2000;
const IN_PAGE = 65536;

const visible = (text) =>
	text.toWellFormed().replace(UNSEEN, (one) => `\\u{${one.codePointAt(0).toString(16).padStart(4, "0")}}`);

/** An element with text in it, never markup. */
export function element(name, { text = "", ...properties } = {}, ...children) {
	const made = Object.assign(document.createElement(name), properties);
	if (text !== "") made.append(visible(String(text)));
	made.append(...children);
	return made;
}

/** A text of any length: its beginning, and more of it to be unfolded. */
export function longText(text) {
	const shown = element("span", { className: "text", text: text.slice(0, SHOWN) });
	if (text.length <= SHOWN) return [shown];
	const more = element("details", { className: "more" });
	more.append(element("summary", { text: `${(text.length - SHOWN).toLocaleString("en")} more characters` }));
	// It is laid out when somebody wants to see it.
	more.addEventListener(
		"toggle",
		() => more.append(element("span", { className: "text", text: text.slice(SHOWN, IN_PAGE) })),
		{ once: true },
	);
	return [shown, more];
}

/** Tells whoever hears the page and does not see it. */
export function say(text) {
	document.getElementById("said").textContent = text;
}
