/**
 * HTMLRewriter: https://developers.cloudflare.com/workers/runtime-apis/html-rewriter/. It streams: what no handler
 * asks for goes through as it came. Tokens are htmlparser2's, selectors css-what's.
 */

import { parse as parseSelector, type Selector } from "css-what";
import { Comment, Doctype, DocumentEnd, Element, EndTag, type Part, Text, writeParts } from "./html-content.ts";
import { Cutter, type Piece } from "./html-cutter.ts";
import { matches, matchesSimple, type OpenElement } from "./html-selectors.ts";

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

/** An element that is open, as the handlers of its content see it. */
interface Open extends OpenElement {
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

/** The namespaces of what stands in some element, up to the next of these. */
const NAMESPACES: Record<string, string> = {
	svg: "http://www.w3.org/2000/svg",
	math: "http://www.w3.org/1998/Math/MathML",
	foreignobject: "http://www.w3.org/1999/xhtml",
};
const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));

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
	async #emitParts(parts: Part[]): Promise<void> {
		if (!this.#hidden) await writeParts(parts, this.#write);
	}

	/** Of an element that would be opened here. */
	#namespaceOf(name: string): string {
		if (name === "svg" || name === "math") return NAMESPACES[name];
		const around = this.#stack.findLast((open) => Object.hasOwn(NAMESPACES, open.name));
		return NAMESPACES[around?.name ?? "foreignobject"];
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
		const namespace = this.#namespaceOf(name);
		// In HTML itself a slash at a start tag's end says nothing.
		const isVoid = VOID.has(name) || (selfClosing && namespace !== NAMESPACES.foreignobject);
		const open: Open = {
			name,
			attributes: new Map(attributes.toReversed().map(({ name: own, value }) => [own, value])),
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
		const parts: Part[] = [];
		if (wanted.length > 0) {
			const element = new Element(name, attributes, { isVoid, namespace });
			open.element = element;
			for (const { handlers } of wanted) await handlers.element?.(element);
			element.release();
			parts.push(...element.startTag(raw));
			if (element.keepsContent && !isVoid) parts.push(...element.prepended, element.inner ?? "");
			if (isVoid) parts.push(...element.afterEnd);
		} else parts.push(raw);
		if (!open.hidden) await writeParts(parts, this.#write);
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
		const parts: Part[] = [];
		if (element !== null) {
			const end = new EndTag(element.endName);
			for (const handler of element.endHandlers) await handler(end);
			end.release();
			if (element.keepsContent) parts.push(...element.appended);
			parts.push(...end.serialize(raw === null || element.replaced ? "" : end.rawFor(name, raw)), ...element.afterEnd);
		} else parts.push(raw ?? "");
		this.#stack.pop();
		if (!outer) await writeParts(parts, this.#write);
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
		text.release();
		await this.#emitParts(text.serialize(raw));
		if (!last) return;
		const end = new Text("", true);
		for (const handler of handlers) await handler(end);
		end.release();
		await this.#emitParts(end.serialize(""));
	}

	async #comment(content: string, raw: string): Promise<void> {
		const handlers = this.#handlersOf("comments");
		const comment = new Comment(content);
		for (const handler of handlers) await handler(comment);
		comment.release();
		await this.#emitParts(comment.serialize(comment.content === content ? raw : `<!--${comment.content}-->`));
	}

	async end(): Promise<void> {
		while (this.#stack.length > 0) await this.#closeLast(null);
		const end = new DocumentEnd();
		for (const handlers of this.#documents) await handlers.end?.(end);
		end.release();
		await writeParts(end.appended, this.#write);
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
			.pipeThrough(new TextDecoderStream())
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
			.pipeThrough(new TextEncoderStream());
		const headers = new Headers(response.headers);
		headers.delete("content-length");
		return new Response(body, { status: response.status, statusText: response.statusText, headers });
	}
}
