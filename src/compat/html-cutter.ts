import { Tokenizer } from "htmlparser2";

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'" };

/** A token, with its text as it came. */
export type Piece =
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
export class Cutter {
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
