import { DOMException } from "../errors/dom-exception.ts";
import { requireArguments } from "../interface.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** https://html.spec.whatwg.org/#dom-btoa */
export function btoa(data: unknown): string {
	requireArguments(arguments.length, 1, "btoa");
	const text = `${data as string}`;
	let out = "";
	for (let i = 0; i < text.length; i += 3) {
		const a = text.charCodeAt(i);
		const b = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
		const c = i + 2 < text.length ? text.charCodeAt(i + 2) : 0;
		if (a > 255 || b > 255 || c > 255) {
			throw new DOMException(
				"The string to be encoded contains characters outside of the Latin1 range.",
				"InvalidCharacterError",
			);
		}
		out += ALPHABET[a >> 2] + ALPHABET[((a & 3) << 4) | (b >> 4)];
		out += i + 1 < text.length ? ALPHABET[((b & 15) << 2) | (c >> 6)] : "=";
		out += i + 2 < text.length ? ALPHABET[c & 63] : "=";
	}
	return out;
}

/** https://html.spec.whatwg.org/#dom-atob, by https://infra.spec.whatwg.org/#forgiving-base64-decode */
export function atob(data: unknown): string {
	requireArguments(arguments.length, 1, "atob");
	let text = `${data as string}`.replace(/[\t\n\f\r ]/g, "");
	if (text.length % 4 === 0) text = text.replace(/==?$/, "");
	if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
		throw new DOMException("The string to be decoded is not correctly encoded.", "InvalidCharacterError");
	}
	let out = "";
	for (let i = 0; i < text.length; i += 4) {
		const a = VALUES[text.charCodeAt(i)];
		const b = VALUES[text.charCodeAt(i + 1)];
		out += String.fromCharCode((a << 2) | (b >> 4));
		if (i + 2 < text.length) {
			const c = VALUES[text.charCodeAt(i + 2)];
			out += String.fromCharCode(((b & 15) << 4) | (c >> 2));
			if (i + 3 < text.length) out += String.fromCharCode(((c & 3) << 6) | VALUES[text.charCodeAt(i + 3)]);
		}
	}
	return out;
}
