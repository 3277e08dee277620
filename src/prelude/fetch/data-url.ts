import { atob } from "../encoding/base64.ts";
import { Body } from "./body.ts";
import { parseMime } from "./mime.ts";
import { createResponse, type Response } from "./response.ts";

/**
 * What `fetch()` gives for a `data:` URL, which needs no network: https://fetch.spec.whatwg.org/#data-url-processor.
 * `null` if it is malformed.
 */
export function fetchDataUrl(url: string): Response | null {
	const hash = url.indexOf("#");
	const href = hash < 0 ? url : url.slice(0, hash);
	const comma = href.indexOf(",");
	if (comma < 0) return null;
	let type = href.slice("data:".length, comma).replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "");
	let bytes = percentDecode(href.slice(comma + 1));
	const base64 = /; *base64$/i.exec(type);
	if (base64 !== null) {
		const decoded = decodeBase64(bytes);
		if (decoded === null) return null;
		bytes = decoded;
		type = type.slice(0, base64.index);
	}
	const mime = parseMime(type.startsWith(";") ? `text/plain${type}` : type);
	return createResponse({
		status: 200,
		statusText: "OK",
		headers: ["content-type", mime?.text ?? "text/plain;charset=US-ASCII"],
		body: new Body(bytes, null),
		origin: { type: "basic", url, redirected: false, guard: "immutable", webSocket: null },
	});
}

/** https://url.spec.whatwg.org/#string-percent-decode, of what is ASCII already. */
function percentDecode(text: string): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(text.length);
	let length = 0;
	for (let i = 0; i < text.length; i++) {
		const encoded = text[i] === "%" && /^[0-9a-f]{2}$/i.test(text.slice(i + 1, i + 3));
		bytes[length++] = encoded ? Number.parseInt(text.slice(i + 1, i + 3), 16) : text.charCodeAt(i);
		if (encoded) i += 2;
	}
	return bytes.slice(0, length);
}

function decodeBase64(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
	let text = "";
	for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
	try {
		text = atob(text);
	} catch {
		return null; // It is said by whoever fetches: a network error.
	}
	const decoded = new Uint8Array(text.length);
	for (let i = 0; i < text.length; i++) decoded[i] = text.charCodeAt(i);
	return decoded;
}
