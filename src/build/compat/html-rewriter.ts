/**
 * HTMLRewriter: https://developers.cloudflare.com/workers/runtime-apis/html-rewriter/. It streams: what no handler asks for goes
 * through as it came. Tokens are htmlparser2's, selectors css-what's.
 */
import { type AttributeSelector, parse as parseSelector, type Selector } from "css-what";
import { Tokenizer } from "htmlparser2";

const escapeText = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const escapeAttribute = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'" };

interface ContentOptions {
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

interface ElementHandlers {
	element?(element: Element): unknown;
	comments?(comment: Comment): unknown;
	text?(text: Text): unknown;
}
interface DocumentHandlers {
	doctype?(doctype: Doctype): unknown;
	comments?(comment: Comment): unknown;
	text?(text: Text): unknown;
	end?(end: DocumentEnd): unknown;
}

/** An element that is open, as selectors and the handlers of its content see it. */
interface Open {
	name: string;
	attributes: Map<string, string>;
	/** Its place among its parent's elements, and among those of its name; from 1. */
	index: number;
	indexOfType: number;
	children: number;
	childrenByName: Map<string, number>;
	/** The rules that it matches. */
	matched: Set<Rule>;
	element: Element | null;
	/** Its content is not written. */
	hidden: boolean;
}

interface Rule {
	selectors: Selector[][];
	handlers: ElementHandlers;
}

const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));

/** `an+b`, `odd`, `even` or a number. */
function matchesNth(formula: string, position: number): boolean {
	const text = formula.trim().toLowerCase();
	if (text === "odd") return position % 2 === 1;
	if (text === "even") return position % 2 === 0;
	const match = /^([+-]?\d*)n\s*(?:([+-])\s*(\d+))?$/.exec(text);
	if (match === null) return position === Number(text);
	const step = match[1] === "" || match[1] === "+" ? 1 : match[1] === "-" ? -1 : Number(match[1]);
	const rest = position - (match[3] === undefined ? 0 : Number(`${match[2]}${match[3]}`));
	return step === 0 ? rest === 0 : rest / step >= 0 && rest % step === 0;
}

function matchesAttribute({ name, action, value, ignoreCase }: AttributeSelector, { attributes }: Open): boolean {
	const found = attributes.get(name.toLowerCase());
	if (found === undefined) return false;
	const [own, wanted] = ignoreCase === true ? [found.toLowerCase(), value.toLowerCase()] : [found, value];
	switch (action as string) {
		case "exists":
			return true;
		case "equals":
			return own === wanted;
		case "element":
			return wanted !== "" && own.split(/\s+/).includes(wanted);
		case "start":
			return wanted !== "" && own.startsWith(wanted);
		case "end":
			return wanted !== "" && own.endsWith(wanted);
		case "any":
			return wanted !== "" && own.includes(wanted);
		case "hyphen":
			return own === wanted || own.startsWith(`${wanted}-`);
		default:
			return own !== wanted;
	}
}

/** Whether one simple selector holds for an element. Throws for what a stream cannot tell. */
function matchesSimple(selector: Selector, open: Open): boolean {
	switch (selector.type as string) {
		case "universal":
			return true;
		case "tag":
			return (selector as { name: string }).name.toLowerCase() === open.name;
		case "attribute":
			return matchesAttribute(selector as AttributeSelector, open);
		case "pseudo": {
			const { name, data } = selector as { name: string; data: unknown };
			if (name === "not") return !(data as Selector[][]).some((all) => all.every((one) => matchesSimple(one, open)));
			if (name === "first-child") return open.index === 1;
			if (name === "first-of-type") return open.indexOfType === 1;
			if (name === "nth-child") return matchesNth(data as string, open.index);
			if (name === "nth-of-type") return matchesNth(data as string, open.indexOfType);
		}
	}
	throw new TypeError("HTMLRewriter: this kind of selector is not supported");
}

/** Whether the last of the open elements matches a complex selector. */
function matches(selector: Selector[], stack: Open[], at = stack.length - 1, end = selector.length): boolean {
	let start = end;
	while (start > 0 && selector[start - 1].type !== "child" && selector[start - 1].type !== "descendant") start--;
	if (at < 0) return false;
	for (let i = start; i < end; i++) if (!matchesSimple(selector[i], stack[at])) return false;
	if (start === 0) return true;
	if (selector[start - 1].type === "child") return matches(selector, stack, at - 1, start - 1);
	for (let ancestor = at - 1; ancestor >= 0; ancestor--) if (matches(selector, stack, ancestor, start - 1)) return true;
	return false;
}

type Piece =
	| { kind: "open"; name: string; attributes: [string, string][]; raw: string; selfClosing: boolean }
	| { kind: "close"; name: string; raw: string }
	| { kind: "text" | "comment" | "declaration" | "other"; text: string; raw: string };

const decode = (text: string) =>
	text.replace(/&(?:#x([\da-f]+)|#(\d+)|([a-z]+));/gi, (whole, hex: string, decimal: string, name: string) => {
		if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
		const code = Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16);
		return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
	});

/** Cuts HTML, in whatever pieces it comes, into tokens. */
class Cutter {
	readonly #tokenizer: Tokenizer;
	#source = "";
	/** How much came before `#source`. */
	#base = 0;
	/** Up to where it has become tokens. */
	#consumed = 0;
	#name = "";
	#start = 0;
	#attributes: [string, string][] = [];
	#attribute = "";
	#value = "";
	#pieces: Piece[] = [];

	constructor() {
		const slice = (from: number, to: number) => this.#source.slice(from - this.#base, to - this.#base);
		const push = (piece: Piece, end: number) => {
			this.#pieces.push(piece);
			this.#consumed = Math.max(this.#consumed, end);
		};
		const open = (end: number, selfClosing: boolean) => {
			const raw = slice(this.#start, end + 1);
			push({ kind: "open", name: this.#name, attributes: this.#attributes, raw, selfClosing }, end + 1);
		};
		const plain = (kind: "text" | "comment" | "declaration" | "other", text: string, raw: string, end: number) =>
			push({ kind, text, raw }, end);
		this.#tokenizer = new Tokenizer(
			{ decodeEntities: false },
			{
				onopentagname: (from, to) => {
					this.#name = slice(from, to).toLowerCase();
					this.#start = from - 1;
					this.#attributes = [];
				},
				onattribname: (from, to) => {
					this.#attribute = slice(from, to).toLowerCase();
					this.#value = "";
				},
				onattribdata: (from, to) => {
					this.#value += slice(from, to);
				},
				onattribentity: () => undefined,
				onattribend: () => {
					this.#attributes.push([this.#attribute, decode(this.#value)]);
				},
				onopentagend: (end) => open(end, false),
				onselfclosingtag: (end) => open(end, true),
				onclosetag: (from, to) => {
					const name = slice(from, to);
					push({ kind: "close", name: name.toLowerCase(), raw: `</${name}>` }, to);
				},
				ontext: (from, to) => plain("text", slice(from, to), slice(from, to), to),
				ontextentity: () => undefined,
				oncomment: (from, to, offset) => {
					const text = slice(from, to - offset);
					plain("comment", text, `<!--${text}-->`, to);
				},
				ondeclaration: (from, to) => plain("declaration", slice(from, to), `<!${slice(from, to)}>`, to),
				oncdata: (from, to, offset) => plain("other", "", `<![CDATA[${slice(from, to - offset)}]]>`, to),
				onprocessinginstruction: (from, to) => plain("other", "", `<${slice(from, to)}>`, to),
				onend: () => undefined,
			},
		);
	}

	write(chunk: string): Piece[] {
		this.#source += chunk;
		this.#tokenizer.write(chunk);
		// What is not consumed yet belongs to a token that has only begun.
		this.#source = this.#source.slice(this.#consumed - this.#base);
		this.#base = this.#consumed;
		return this.#take();
	}

	end(): Piece[] {
		this.#tokenizer.end();
		return this.#take();
	}

	#take(): Piece[] {
		const pieces = this.#pieces;
		this.#pieces = [];
		return pieces;
	}
}

/** One document on its way through a rewriter's handlers. */
class Rewriting {
	readonly #rules: Rule[];
	readonly #documents: DocumentHandlers[];
	readonly #stack: Open[] = [];
	readonly #root = { children: 0, childrenByName: new Map<string, number>() };
	readonly #write: (html: string) => void;

	constructor(rules: Rule[], documents: DocumentHandlers[], write: (html: string) => void) {
		this.#rules = rules;
		this.#documents = documents;
		this.#write = write;
	}

	get #hidden(): boolean {
		return this.#stack.at(-1)?.hidden ?? false;
	}
	#emit(html: string): void {
		if (!this.#hidden && html !== "") this.#write(html);
	}

	async piece(piece: Piece, next: Piece | undefined): Promise<void> {
		if (piece.kind === "open") await this.#open(piece);
		else if (piece.kind === "close") await this.#close(piece.name, piece.raw);
		else if (piece.kind === "text") await this.#text(piece.raw, next?.kind !== "text");
		else if (piece.kind === "comment") await this.#comment(piece.text, piece.raw);
		else if (piece.kind === "declaration" && /^doctype/i.test(piece.text)) {
			for (const { doctype } of this.#documents) await doctype?.(new Doctype(piece.text));
			this.#emit(piece.raw);
		} else this.#emit(piece.raw);
	}

	async #open({ name, attributes, raw, selfClosing }: Piece & { kind: "open" }): Promise<void> {
		const parent = this.#stack.at(-1) ?? this.#root;
		parent.children++;
		const indexOfType = (parent.childrenByName.get(name) ?? 0) + 1;
		parent.childrenByName.set(name, indexOfType);
		const isVoid = VOID.has(name) || selfClosing;
		const open: Open = {
			name,
			attributes: new Map(attributes.toReversed()),
			index: parent.children,
			indexOfType,
			children: 0,
			childrenByName: new Map(),
			matched: new Set(),
			element: null,
			hidden: this.#hidden,
		};
		this.#stack.push(open);
		for (const rule of this.#rules)
			if (rule.selectors.some((selector) => matches(selector, this.#stack))) open.matched.add(rule);
		const wanted = [...open.matched].filter(({ handlers }) => handlers.element !== undefined);
		let html = raw;
		if (wanted.length > 0) {
			const element = new Element(name, attributes, VOID.has(name));
			open.element = element;
			for (const { handlers } of wanted) await handlers.element?.(element);
			html = element.startTag(raw) + (element.keepsContent && !isVoid ? element.prepended + (element.inner ?? "") : "");
			if (isVoid) html += element.afterEnd;
		}
		if (!open.hidden) this.#write(html);
		if (isVoid) this.#stack.pop();
		else if (open.element !== null && (!open.element.keepsContent || open.element.inner !== null)) open.hidden = true;
	}

	async #close(name: string, raw: string): Promise<void> {
		const at = this.#stack.findLastIndex((open) => open.name === name);
		if (at < 0) {
			this.#emit(raw);
			return;
		}
		// What the end tag closes beside its own element had no end tags of its own.
		while (this.#stack.length > at + 1) await this.#closeLast(null);
		await this.#closeLast(raw);
	}

	async #closeLast(raw: string | null): Promise<void> {
		const { element, name } = this.#stack[this.#stack.length - 1];
		const outer = this.#stack[this.#stack.length - 2]?.hidden ?? false;
		let html = raw ?? "";
		if (element !== null) {
			const end = new EndTag(element.tagName);
			for (const handler of element.endHandlers) await handler(end);
			const tag = raw === null ? "" : end.name === name ? raw : `</${end.name}>`;
			const own = element.removed ? "" : tag;
			html = (element.keepsContent ? element.appended : "") + end.serialize(own) + element.afterEnd;
		}
		this.#stack.pop();
		if (!outer && html !== "") this.#write(html);
	}

	/** The handlers of a kind of content, of all elements around it and of the document. */
	#handlersOf<K extends "text" | "comments">(kind: K): NonNullable<ElementHandlers[K]>[] {
		const rules = new Set(this.#stack.flatMap(({ matched }) => [...matched]));
		return [...[...rules].map(({ handlers }) => handlers), ...this.#documents].flatMap((handlers) => {
			const handler = handlers[kind];
			return handler === undefined ? [] : [handler.bind(handlers) as NonNullable<ElementHandlers[K]>];
		});
	}

	async #text(raw: string, last: boolean): Promise<void> {
		const handlers = this.#handlersOf("text");
		if (handlers.length === 0) {
			this.#emit(raw);
			return;
		}
		const text = new Text(raw, false);
		for (const handler of handlers) await handler(text);
		this.#emit(text.serialize(raw));
		if (!last) return;
		const end = new Text("", true);
		for (const handler of handlers) await handler(end);
		this.#emit(end.serialize(""));
	}

	async #comment(content: string, raw: string): Promise<void> {
		const handlers = this.#handlersOf("comments");
		const comment = new Comment(content);
		for (const handler of handlers) await handler(comment);
		this.#emit(comment.serialize(comment.text === content ? raw : `<!--${comment.text}-->`));
	}

	async end(): Promise<void> {
		while (this.#stack.length > 0) await this.#closeLast(null);
		const end = new DocumentEnd();
		for (const handlers of this.#documents) await handlers.end?.(end);
		if (end.appended !== "") this.#write(end.appended);
	}
}

export class HTMLRewriter {
	readonly #rules: Rule[] = [];
	readonly #documents: DocumentHandlers[] = [];

	/** Throws TypeError for a selector that is malformed or not supported. */
	on(selector: string, handlers: ElementHandlers): this {
		const selectors = parseSelector(selector);
		if (selectors.length === 0 || selectors.some((one) => one.length === 0))
			throw new TypeError("HTMLRewriter: the selector is empty");
		const probe: Open = {
			name: "",
			attributes: new Map(),
			index: 1,
			indexOfType: 1,
			children: 0,
			childrenByName: new Map(),
			matched: new Set(),
			element: null,
			hidden: false,
		};
		for (const one of selectors.flat())
			if (one.type !== "child" && one.type !== "descendant") matchesSimple(one, probe);
		this.#rules.push({ selectors, handlers });
		return this;
	}

	onDocument(handlers: DocumentHandlers): this {
		this.#documents.push(handlers);
		return this;
	}

	transform(response: Response): Response {
		if (response.body === null) return response;
		const cutter = new Cutter();
		let write: (html: string) => void = () => undefined;
		const rewriting = new Rewriting(this.#rules, this.#documents, (html) => write(html));
		const run = async (pieces: Piece[]) => {
			for (const [i, piece] of pieces.entries()) await rewriting.piece(piece, pieces[i + 1]);
		};
		const body = response.body
			.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
			.pipeThrough(
				new TransformStream<string, string>({
					async transform(chunk, controller) {
						write = (html) => controller.enqueue(html);
						await run(cutter.write(chunk));
					},
					async flush(controller) {
						write = (html) => controller.enqueue(html);
						await run(cutter.end());
						await rewriting.end();
					},
				}),
			)
			.pipeThrough(new TextEncoderStream() as unknown as TransformStream<string, Uint8Array>);
		const headers = new Headers(response.headers);
		headers.delete("content-length");
		return new Response(body as never, { status: response.status, statusText: response.statusText, headers });
	}
}
