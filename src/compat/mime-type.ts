/** `MIMEType` and `MIMEParams` of `node:util`: https://nodejs.org/api/util.html#class-utilmimetype */
import { withCode } from "./node-errors.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const QUOTED = /^[\t\x20-\x7e\x80-\xff]*$/;

const invalid = (what: string, text: string) =>
	withCode(new TypeError(`The MIME syntax for a ${what} in "${text}" is invalid`), "ERR_INVALID_MIME_SYNTAX");

const written = (value: string) => (TOKEN.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`);

export class MIMEParams {
	readonly #entries = new Map<string, string>();

	get(name: string): string | null {
		return this.#entries.get(`${name}`) ?? null;
	}
	has(name: string): boolean {
		return this.#entries.has(`${name}`);
	}
	set(name: string, value: string): void {
		if (!TOKEN.test(`${name}`)) throw invalid("parameter name", `${name}`);
		if (!QUOTED.test(`${value}`)) throw invalid("parameter value", `${value}`);
		this.#entries.set(`${name}`, `${value}`);
	}
	delete(name: string): void {
		this.#entries.delete(`${name}`);
	}
	entries(): IterableIterator<[string, string]> {
		return this.#entries.entries();
	}
	keys(): IterableIterator<string> {
		return this.#entries.keys();
	}
	values(): IterableIterator<string> {
		return this.#entries.values();
	}
	[Symbol.iterator](): IterableIterator<[string, string]> {
		return this.entries();
	}
	toString(): string {
		return [...this].map(([name, value]) => `${name}=${written(value)}`).join(";");
	}
	toJSON(): string {
		return this.toString();
	}
}

export class MIMEType {
	#type: string;
	#subtype: string;
	readonly #params = new MIMEParams();

	/** https://mimesniff.spec.whatwg.org/#parsing-a-mime-type */
	constructor(input: string) {
		const text = `${input}`;
		const [, type, subtype, rest] = /^[\t\n\r ]*([^/;]*)(?:\/([^;]*))?(.*)$/s.exec(text) as RegExpExecArray;
		if (!TOKEN.test(type) || subtype === undefined) throw invalid("type", text);
		const trimmed = subtype.replace(/[\t\n\r ]+$/, "");
		if (!TOKEN.test(trimmed)) throw invalid("subtype", text);
		this.#type = type.toLowerCase();
		this.#subtype = trimmed.toLowerCase();
		for (const [, name, quoted, plain] of rest.matchAll(
			/;[\t\n\r ]*([^;=]*)(?:=(?:"((?:[^"\\]|\\.?)*)"?[^;]*|([^;]*)))?/gs,
		)) {
			const value = quoted?.replace(/\\(.)/gs, "$1") ?? plain?.replace(/[\t\n\r ]+$/, "") ?? "";
			const key = name.toLowerCase();
			const usable = TOKEN.test(key) && QUOTED.test(value) && (quoted !== undefined || value !== "");
			if (usable && !this.#params.has(key)) this.#params.set(key, value);
		}
	}

	get type(): string {
		return this.#type;
	}
	set type(value: string) {
		if (!TOKEN.test(`${value}`)) throw invalid("type", `${value}`);
		this.#type = `${value}`.toLowerCase();
	}
	get subtype(): string {
		return this.#subtype;
	}
	set subtype(value: string) {
		if (!TOKEN.test(`${value}`)) throw invalid("subtype", `${value}`);
		this.#subtype = `${value}`.toLowerCase();
	}
	get essence(): string {
		return `${this.#type}/${this.#subtype}`;
	}
	get params(): MIMEParams {
		return this.#params;
	}
	toString(): string {
		const params = this.#params.toString();
		return params === "" ? this.essence : `${this.essence};${params}`;
	}
	toJSON(): string {
		return this.toString();
	}
}
