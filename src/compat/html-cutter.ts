import { Tokenizer } from "htmlparser2";
import type { Attribute } from "./html-content.ts";

/** A token, with its text as it came. */
export type Piece =
	| { kind: "open"; name: string; attributes: Attribute[]; raw: string; selfClosing: boolean }
	| { kind: "close"; name: string; raw: string }
	| { kind: "text" | "comment" | "declaration" | "other"; text: string; raw: string };

/** Cuts HTML, in whatever pieces it comes, into tokens. */
export class Cutter {
	readonly #tokenizer: Tokenizer;
	#source = "";
	/** How much came before `#source`. */
	#base = 0;
	/** Up to where it has become tokens. */
	#consumed = 0;
	#name = "";
	#start = 0;
	#attributes: Attribute[] = [];
	#attribute = "";
	#attributeStart = 0;
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
					this.#attributeStart = from;
					this.#value = "";
				},
				onattribdata: (from, to) => {
					this.#value += slice(from, to);
				},
				onattribentity: () => undefined,
				onattribend: (_quote, end) => {
					this.#attributes.push({
						name: this.#attribute,
						value: this.#value,
						raw: slice(this.#attributeStart, end),
					});
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
