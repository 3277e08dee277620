import { decodeUtf8 } from "../encoding/bytes.ts";
import { File } from "./blob.ts";
import { FormData } from "./form-data.ts";

/**
 * Parses a multipart/form-data body (https://www.rfc-editor.org/rfc/rfc7578, with the names unescaped as in
 * https://andreubotella.github.io/multipart-form-data/). Throws TypeError where it is malformed.
 */
export function parseMultipart(body: Uint8Array, boundary: string): FormData {
	const form = new FormData();
	const delimiter = ascii(`--${boundary}`);
	let position = indexOf(body, delimiter, 0);
	if (position < 0) throw malformed("its first boundary is missing");
	position += delimiter.length;
	for (;;) {
		if (body[position] === 45 && body[position + 1] === 45) return form;
		while (body[position] === 32 || body[position] === 9) position++;
		if (body[position] !== 13 || body[position + 1] !== 10)
			throw malformed("a boundary is not followed by a line break");
		position += 2;
		const headers = new Map<string, string>();
		while (!(body[position] === 13 && body[position + 1] === 10)) {
			const end = indexOf(body, CRLF, position);
			if (end < 0) throw malformed("a part's headers do not end");
			const line = decodeUtf8(body.subarray(position, end));
			const colon = line.indexOf(":");
			if (colon <= 0) throw malformed("a part has a header without a name");
			headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
			position = end + 2;
		}
		position += 2;
		const end = findEnd(body, delimiter, position);
		if (end < 0) throw malformed("its last boundary is missing");
		const content = body.subarray(position, end);
		const disposition = headers.get("content-disposition") ?? "";
		if (!/^form-data\s*(;|$)/i.test(disposition)) throw malformed("a part's Content-Disposition is not form-data");
		const given = parameters(disposition);
		const name = given.get("name");
		if (name === undefined) throw malformed("a part has no name");
		const filename = given.get("filename");
		if (filename === undefined) form.append(name, decodeUtf8(content, true));
		else form.append(name, new File([content], filename, { type: headers.get("content-type") ?? "text/plain" }));
		position = end + 2 + delimiter.length;
	}
}

const CRLF = new Uint8Array([13, 10]);

function malformed(why: string): TypeError {
	return new TypeError(`the multipart/form-data body is malformed: ${why}`);
}

function ascii(text: string): Uint8Array {
	const bytes = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
	return bytes;
}

function indexOf(bytes: Uint8Array, needle: Uint8Array, from: number): number {
	for (let at = bytes.indexOf(needle[0], from); at >= 0; at = bytes.indexOf(needle[0], at + 1)) {
		let i = 1;
		while (i < needle.length && bytes[at + i] === needle[i]) i++;
		if (i === needle.length) return at;
	}
	return -1;
}

/** Where the content before the next CRLF and boundary ends. */
function findEnd(body: Uint8Array, delimiter: Uint8Array, from: number): number {
	for (let at = indexOf(body, delimiter, from); at >= 0; at = indexOf(body, delimiter, at + 1)) {
		if (at >= from + 2 && body[at - 2] === 13 && body[at - 1] === 10) return at - 2;
	}
	return -1;
}

/**
 * A header's parameters, one after the other: what looks like one inside of another's quotes is none. A backslash is
 * a backslash.
 */
function parameters(disposition: string): Map<string, string> {
	const found = new Map<string, string>();
	for (const [, name, quoted, plain] of disposition.matchAll(/;\s*([^=\s;"]+)=(?:"([^"]*)"|([^;\s]*))/g)) {
		const raw = quoted ?? plain;
		if (!found.has(name.toLowerCase()))
			found.set(name.toLowerCase(), raw.replace(/%0A/gi, "\n").replace(/%0D/gi, "\r").replace(/%22/g, '"'));
	}
	return found;
}
