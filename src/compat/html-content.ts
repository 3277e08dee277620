/** What HTMLRewriter's handlers are given: https://developers.cloudflare.com/workers/runtime-apis/html-rewriter/. */

const escapeText = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const escapeAttribute = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");

export interface ContentOptions {
	html?: boolean;
}
const render = (content: string, options?: ContentOptions) => (options?.html ? content : escapeText(content));

/** What is done to one token: what stands before and after it, and what in its place. */
class Token {
	protected start = "";
	protected end = "";
	protected replacement: string | null = null;

	get removed(): boolean {
		return this.replacement !== null;
	}
	before(content: string, options?: ContentOptions): this {
		this.start += render(content, options);
		return this;
	}
	after(content: string, options?: ContentOptions): this {
		this.end = render(content, options) + this.end;
		return this;
	}
	replace(content: string, options?: ContentOptions): this {
		this.replacement = render(content, options);
		return this;
	}
	remove(): this {
		this.replacement ??= "";
		return this;
	}
	/** @internal */
	serialize(raw: string): string {
		return this.start + (this.replacement ?? raw) + this.end;
	}
}

export class Text extends Token {
	readonly text: string;
	readonly lastInTextNode: boolean;
	constructor(text: string, last: boolean) {
		super();
		this.text = text;
		this.lastInTextNode = last;
	}
}

export class Comment extends Token {
	text: string;
	constructor(text: string) {
		super();
		this.text = text;
	}
}

export class Doctype {
	readonly name: string | null;
	readonly publicId: string | null;
	readonly systemId: string | null;
	constructor(declaration: string) {
		const quoted = `(?:"([^"]*)"|'([^']*)')`;
		const match = new RegExp(
			`^doctype\\s+(\\S+)(?:\\s+public\\s+${quoted})?(?:\\s+(?:system\\s+)?${quoted})?`,
			"i",
		).exec(declaration);
		this.name = match?.[1]?.toLowerCase() ?? null;
		this.publicId = match?.[2] ?? match?.[3] ?? null;
		this.systemId = match?.[4] ?? match?.[5] ?? null;
	}
}

export class DocumentEnd {
	/** @internal */
	appended = "";
	append(content: string, options?: ContentOptions): this {
		this.appended += render(content, options);
		return this;
	}
}

export class EndTag extends Token {
	name: string;
	constructor(name: string) {
		super();
		this.name = name;
	}
}

/** The start tag of an element, with what is to become of its content. */
export class Element extends Token {
	#name: string;
	#attributes: [name: string, value: string][];
	#changed = false;
	readonly namespaceURI = "http://www.w3.org/1999/xhtml";
	/** @internal */
	prepended = "";
	/** @internal */
	appended = "";
	/** @internal */
	inner: string | null = null;
	/** @internal */
	keepsContent = true;
	/** @internal */
	endHandlers: ((end: EndTag) => unknown)[] = [];
	readonly #isVoid: boolean;

	constructor(name: string, attributes: [string, string][], isVoid: boolean) {
		super();
		this.#name = name;
		this.#attributes = attributes;
		this.#isVoid = isVoid;
	}

	get tagName(): string {
		return this.#name;
	}
	set tagName(name: string) {
		this.#name = name;
		this.#changed = true;
	}
	get attributes(): IterableIterator<[string, string]> {
		return this.#attributes.map(([name, value]): [string, string] => [name, value])[Symbol.iterator]();
	}
	getAttribute(name: string): string | null {
		return this.#attributes.find(([own]) => own === name.toLowerCase())?.[1] ?? null;
	}
	hasAttribute(name: string): boolean {
		return this.getAttribute(name) !== null;
	}
	setAttribute(name: string, value: string): this {
		if (name === "" || /[\s"'>/=]/.test(name))
			throw new TypeError(`${JSON.stringify(name)} is not an attribute's name`);
		const existing = this.#attributes.find(([own]) => own === name.toLowerCase());
		if (existing === undefined) this.#attributes.push([name.toLowerCase(), String(value)]);
		else existing[1] = String(value);
		this.#changed = true;
		return this;
	}
	removeAttribute(name: string): this {
		this.#attributes = this.#attributes.filter(([own]) => own !== name.toLowerCase());
		this.#changed = true;
		return this;
	}
	prepend(content: string, options?: ContentOptions): this {
		this.prepended = render(content, options) + this.prepended;
		return this;
	}
	append(content: string, options?: ContentOptions): this {
		this.appended += render(content, options);
		return this;
	}
	setInnerContent(content: string, options?: ContentOptions): this {
		this.inner = render(content, options);
		this.prepended = this.appended = "";
		return this;
	}
	override replace(content: string, options?: ContentOptions): this {
		this.keepsContent = false;
		return super.replace(content, options);
	}
	override remove(): this {
		this.keepsContent = false;
		return super.remove();
	}
	removeAndKeepContent(): this {
		return super.remove();
	}
	onEndTag(handler: (end: EndTag) => unknown): void {
		if (this.#isVoid) throw new TypeError(`<${this.#name}> has no end tag`);
		this.endHandlers.push(handler);
	}
	/** @internal: what comes of the start tag, and what after the end tag. */
	startTag(raw: string): string {
		const changed = this.#changed
			? `<${this.#name}${this.#attributes.map(([name, value]) => ` ${name}="${escapeAttribute(value)}"`).join("")}${raw.endsWith("/>") ? " />" : ">"}`
			: raw;
		return this.start + (this.replacement ?? changed);
	}
	/** @internal */
	get afterEnd(): string {
		return this.end;
	}
}
