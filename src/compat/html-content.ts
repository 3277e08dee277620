/** What HTMLRewriter's handlers are given: https://developers.cloudflare.com/workers/runtime-apis/html-rewriter/. */

import { globalScope } from "./global-scope.ts";

const escapeText = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export interface ContentOptions {
	html?: boolean;
}
type Content = string | ReadableStream | Response;

/** A piece of what is written: HTML, or a stream whose bytes become some when it is its turn. */
export type Part = string | { stream: ReadableStream<BufferSource>; html: boolean };

function render(content: Content, options?: ContentOptions): Part {
	const html = options?.html === true;
	const given = content instanceof Response ? (content.body ?? "") : content;
	if (given instanceof globalScope.ReadableStream) return { stream: given as ReadableStream<BufferSource>, html };
	return html ? String(given) : escapeText(String(given));
}

/** Writes all of it, in its order. */
export async function writeParts(parts: Part[], write: (html: string) => void): Promise<void> {
	for (const part of parts) {
		if (typeof part === "string") {
			if (part !== "") write(part);
			continue;
		}
		const { stream, html } = part;
		for await (const text of stream.pipeThrough(new globalScope.TextDecoderStream()))
			if (text !== "") write(html ? text : escapeText(text));
	}
}

/** What is given to a handler, and can be used until that is done. */
class Given {
	#over = false;
	/** @internal */
	release(): void {
		this.#over = true;
	}
	protected use(): this {
		if (this.#over)
			throw new TypeError(
				"This content token is no longer valid. Content tokens are only valid during the execution of the relevant content handler.",
			);
		return this;
	}
}

/** What is done to one token: what stands before and after it, and what in its place. */
class Token extends Given {
	protected readonly start: Part[] = [];
	protected readonly end: Part[] = [];
	protected replacement: Part[] | null = null;

	get removed(): boolean {
		this.use();
		return this.replaced;
	}
	/** @internal */
	get replaced(): boolean {
		return this.replacement !== null;
	}
	before(content: Content, options?: ContentOptions): this {
		this.use().start.push(render(content, options));
		return this;
	}
	after(content: Content, options?: ContentOptions): this {
		this.use().end.unshift(render(content, options));
		return this;
	}
	replace(content: Content, options?: ContentOptions): this {
		this.use().replacement = [render(content, options)];
		return this;
	}
	remove(): this {
		this.use().replacement ??= [];
		return this;
	}
	/** @internal */
	serialize(raw: string): Part[] {
		return [...this.start, ...(this.replacement ?? [raw]), ...this.end];
	}
}

export class Text extends Token {
	readonly #text: string;
	readonly #last: boolean;
	constructor(text: string, last: boolean) {
		super();
		this.#text = text;
		this.#last = last;
	}
	get text(): string {
		this.use();
		return this.#text;
	}
	get lastInTextNode(): boolean {
		this.use();
		return this.#last;
	}
}

export class Comment extends Token {
	/** @internal */
	content: string;
	constructor(text: string) {
		super();
		this.content = text;
	}
	get text(): string {
		this.use();
		return this.content;
	}
	set text(text: string) {
		if (String(text).includes("-->")) throw new TypeError("the text of a comment cannot hold its end");
		this.use().content = String(text);
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

export class DocumentEnd extends Given {
	/** @internal */
	readonly appended: Part[] = [];
	append(content: Content, options?: ContentOptions): this {
		this.use().appended.push(render(content, options));
		return this;
	}
}

export class EndTag extends Token {
	#name: string;
	constructor(name: string) {
		super();
		this.#name = name;
	}
	get name(): string {
		this.use();
		return this.#name;
	}
	set name(name: string) {
		this.use().#name = toTagName(name);
	}
	/** @internal */
	rawFor(name: string, raw: string): string {
		return this.#name === name ? raw : `</${this.#name}>`;
	}
}

function toTagName(name: string): string {
	const text = String(name);
	if (!/^[a-z][^\s/>]*$/i.test(text)) throw new TypeError(`${JSON.stringify(text)} is not an element's name`);
	return text;
}

/** An attribute as a start tag has it. */
export interface Attribute {
	name: string;
	/** As it stands there: entities are not decoded. */
	value: string;
	/** All of it as it came; `null` for what a handler has set. */
	raw: string | null;
}

/** The start tag of an element, with what is to become of its content. */
export class Element extends Token {
	#name: string;
	#attributes: Attribute[];
	#changed = false;
	readonly namespaceURI: string;
	/** @internal */
	prepended: Part[] = [];
	/** @internal */
	appended: Part[] = [];
	/** @internal */
	inner: Part | null = null;
	/** @internal */
	keepsContent = true;
	/** @internal */
	endHandlers: ((end: EndTag) => unknown)[] = [];
	readonly #isVoid: boolean;

	constructor(name: string, attributes: Attribute[], { isVoid, namespace }: { isVoid: boolean; namespace: string }) {
		super();
		this.#name = name;
		this.#attributes = attributes;
		this.#isVoid = isVoid;
		this.namespaceURI = namespace;
	}

	get tagName(): string {
		this.use();
		return this.#name;
	}
	set tagName(name: string) {
		this.use().#name = toTagName(name);
		this.#changed = true;
	}
	/** @internal */
	get endName(): string {
		return this.#name;
	}
	get attributes(): IterableIterator<[string, string]> {
		return this.use()
			.#attributes.map(({ name, value }): [string, string] => [name, value])
			[Symbol.iterator]();
	}
	#find(name: string): Attribute | undefined {
		const own = String(name).toLowerCase();
		return this.use().#attributes.find((attribute) => attribute.name === own);
	}
	getAttribute(name: string): string | null {
		return this.#find(name)?.value ?? null;
	}
	hasAttribute(name: string): boolean {
		return this.#find(name) !== undefined;
	}
	setAttribute(name: string, value: string): this {
		const existing = this.#find(name);
		const own = String(name).toLowerCase();
		if (own === "" || /[\s/>=]/.test(own)) throw new TypeError(`${JSON.stringify(own)} is not an attribute's name`);
		if (existing === undefined) this.#attributes.push({ name: own, value: String(value), raw: null });
		else Object.assign(existing, { value: String(value), raw: null });
		this.#changed = true;
		return this;
	}
	removeAttribute(name: string): this {
		const existing = this.#find(name);
		if (existing === undefined) return this;
		this.#attributes = this.#attributes.filter((attribute) => attribute !== existing);
		this.#changed = true;
		return this;
	}
	prepend(content: Content, options?: ContentOptions): this {
		this.use().prepended.unshift(render(content, options));
		return this;
	}
	append(content: Content, options?: ContentOptions): this {
		this.use().appended.push(render(content, options));
		return this;
	}
	setInnerContent(content: Content, options?: ContentOptions): this {
		this.use().inner = render(content, options);
		this.prepended = [];
		this.appended = [];
		return this;
	}
	override replace(content: Content, options?: ContentOptions): this {
		super.replace(content, options).keepsContent = false;
		return this;
	}
	override remove(): this {
		super.remove().keepsContent = false;
		return this;
	}
	removeAndKeepContent(): this {
		return super.remove();
	}
	onEndTag(handler: (end: EndTag) => unknown): void {
		if (this.use().#isVoid) throw new TypeError(`<${this.#name}> has no end tag`);
		this.endHandlers.push(handler);
	}
	/** @internal: what comes of the start tag. */
	startTag(raw: string): Part[] {
		return [...this.start, ...(this.replacement ?? [this.#changed ? this.#changedTag(raw) : raw])];
	}
	#changedTag(raw: string): string {
		const attributes = this.#attributes.map(
			(one) => ` ${one.raw ?? `${one.name}="${one.value.replaceAll('"', "&quot;")}"`}`,
		);
		return `<${this.#name}${attributes.join("")}${raw.endsWith("/>") ? " />" : ">"}`;
	}
	/** @internal: what comes after the end tag. */
	get afterEnd(): Part[] {
		return this.end;
	}
}
