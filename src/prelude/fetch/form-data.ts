import { concatBytes, encodeUtf8 } from "../encoding/bytes.ts";
import { host } from "../host.ts";
import { asInterface, requireArguments, toUSVString } from "../interface.ts";
import { blobBytes, File, isBlob } from "./blob.ts";
import { pairIterator } from "./headers.ts";

export type FormDataValue = string | File;

let entriesOf: (form: FormData) => [string, FormDataValue][];

/** https://xhr.spec.whatwg.org/#interface-formdata */
export class FormData {
	#entries: [string, FormDataValue][] = [];

	constructor(form?: unknown) {
		if (form !== undefined) throw new TypeError("FormData constructor: there are no form elements here to read from");
	}

	append(name: unknown, value: unknown, filename?: unknown): void {
		requireArguments(arguments.length, 2, "FormData.append");
		this.#entries.push(makeEntry(name, value, filename, arguments.length > 2, "FormData.append"));
	}
	delete(name: unknown): void {
		requireArguments(arguments.length, 1, "FormData.delete");
		const key = toUSVString(name);
		this.#entries = this.#entries.filter((entry) => entry[0] !== key);
	}
	get(name: unknown): FormDataValue | null {
		requireArguments(arguments.length, 1, "FormData.get");
		const key = toUSVString(name);
		return this.#entries.find((entry) => entry[0] === key)?.[1] ?? null;
	}
	getAll(name: unknown): FormDataValue[] {
		requireArguments(arguments.length, 1, "FormData.getAll");
		const key = toUSVString(name);
		return this.#entries.filter((entry) => entry[0] === key).map((entry) => entry[1]);
	}
	has(name: unknown): boolean {
		requireArguments(arguments.length, 1, "FormData.has");
		const key = toUSVString(name);
		return this.#entries.some((entry) => entry[0] === key);
	}
	set(name: unknown, value: unknown, filename?: unknown): void {
		requireArguments(arguments.length, 2, "FormData.set");
		const made = makeEntry(name, value, filename, arguments.length > 2, "FormData.set");
		const index = this.#entries.findIndex((entry) => entry[0] === made[0]);
		if (index < 0) {
			this.#entries.push(made);
			return;
		}
		this.#entries[index] = made;
		this.#entries = this.#entries.filter((entry, at) => at <= index || entry[0] !== made[0]);
	}
	forEach(callback: unknown, thisArg?: unknown): void {
		requireArguments(arguments.length, 1, "FormData.forEach");
		if (typeof callback !== "function") throw new TypeError("FormData.forEach: the callback is not a function");
		for (let i = 0; i < this.#entries.length; i++)
			callback.call(thisArg, this.#entries[i][1], this.#entries[i][0], this);
	}
	keys(): IterableIterator<string> {
		return pairIterator(
			() => this.#entries,
			"FormData",
			(entry) => entry[0],
		);
	}
	values(): IterableIterator<FormDataValue> {
		return pairIterator(
			() => this.#entries,
			"FormData",
			(entry) => entry[1],
		);
	}
	entries(): IterableIterator<[string, FormDataValue]> {
		return pairIterator(
			() => this.#entries,
			"FormData",
			(entry): [string, FormDataValue] => [entry[0], entry[1]],
		);
	}
	declare [Symbol.iterator]: () => IterableIterator<[string, FormDataValue]>;

	static {
		entriesOf = (form) => form.#entries;
	}
	/** @internal */
	static is(value: unknown): value is FormData {
		return typeof value === "object" && value !== null && #entries in value;
	}
}
asInterface(FormData, "FormData", { constructor: 0, append: 2, set: 2, forEach: 1 });
Object.defineProperty(FormData.prototype, Symbol.iterator, {
	value: FormData.prototype.entries,
	writable: true,
	configurable: true,
});
const isFormData = FormData.is;
Reflect.deleteProperty(FormData, "is");

export { isFormData };

// https://xhr.spec.whatwg.org/#create-an-entry
function makeEntry(
	name: unknown,
	value: unknown,
	filename: unknown,
	named: boolean,
	where: string,
): [string, FormDataValue] {
	const key = toUSVString(name);
	if (!isBlob(value)) {
		if (named && filename !== undefined) throw new TypeError(`${where}: a filename needs a Blob as the value`);
		return [key, toUSVString(value)];
	}
	if (named && filename !== undefined)
		return [key, new File([value], filename, { type: value.type, lastModified: (value as File).lastModified })];
	return [key, value instanceof File ? value : new File([value], "blob", { type: value.type })];
}

function escapeName(name: string): string {
	return name.replace(/\n/g, "%0A").replace(/\r/g, "%0D").replace(/"/g, "%22");
}

function normalizeNewlines(text: string): string {
	return text.replace(/\r\n?|\n/g, "\r\n");
}

/** https://html.spec.whatwg.org/#multipart/form-data-encoding-algorithm */
export function encodeMultipart(form: FormData): { bytes: Uint8Array; boundary: string } {
	const random = new Uint8Array(host.randomBytes(16));
	let boundary = "----formdata-atoll-";
	for (const byte of random) boundary += byte.toString(16).padStart(2, "0");
	const parts: Uint8Array[] = [];
	for (const [name, value] of entriesOf(form)) {
		const disposition = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(normalizeNewlines(name))}"`;
		if (typeof value === "string") {
			parts.push(encodeUtf8(`${disposition}\r\n\r\n${normalizeNewlines(value)}\r\n`));
		} else {
			const type = value.type || "application/octet-stream";
			parts.push(
				encodeUtf8(`${disposition}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`),
				blobBytes(value),
				CRLF,
			);
		}
	}
	parts.push(encodeUtf8(`--${boundary}--\r\n`));
	return { bytes: concatBytes(parts), boundary };
}
const CRLF = new Uint8Array([13, 10]);
