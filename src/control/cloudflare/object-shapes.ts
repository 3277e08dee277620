import { HTTP_HEADERS, type ObjectHead, type ObjectMetadata } from "../../bindings/objects/calls.ts";
import { refusalIn } from "../../stores/data-process.ts";
import { CloudflareError, Code } from "./envelope.ts";

/** What a bucket refuses, in Cloudflare's form. */
export function toldOf(error: Error): Error {
	const refusal = refusalIn(error);
	if (refusal === null) return error;
	const [, code, why = refusal.why] = /^(\d{5,6}) (.*)$/s.exec(refusal.why) ?? [];
	return new CloudflareError(refusal.status, code === undefined ? Code.invalid : Number(code), why);
}

/** What an object is to have, as the headers of a request say it. */
export function metadataIn(headers: Headers): ObjectMetadata {
	const http = HTTP_HEADERS.flatMap((name) => {
		const value = headers.get(name);
		if (value === null) return [];
		if (name !== "expires") return [name, value];
		const time = Date.parse(value);
		return Number.isNaN(time) ? [] : [name, String(time)];
	});
	return { http, custom: [], storageClass: headers.get("cf-r2-storage-class") ?? "Standard" };
}

/** The headers that an object is given with. */
export function headersOf({ http, etag, size, uploaded, storageClass }: ObjectHead): Headers {
	const headers = new Headers({
		"content-type": "application/octet-stream",
		"content-length": String(size),
		"x-content-type-options": "nosniff",
		"last-modified": new Date(uploaded).toUTCString(),
		etag: `"${etag}"`,
		"cf-r2-storage-class": storageClass,
	});
	for (let i = 0; i < http.length; i += 2) {
		const value = http[i] === "expires" ? new Date(Number(http[i + 1])).toUTCString() : http[i + 1];
		// What a function has said of an object may be no header at all.
		if (/^[\t\x20-\x7e]*$/.test(value)) headers.set(http[i], value);
	}
	return headers;
}

/** An object in a list. */
export function objectShape({ key, size, etag, uploaded, http, custom, storageClass, version }: ObjectHead): object {
	return {
		key,
		size,
		etag,
		version,
		last_modified: new Date(uploaded).toISOString(),
		http_metadata: recordOf(http),
		custom_metadata: recordOf(custom),
		storage_class: storageClass,
	};
}

function recordOf(list: readonly string[]): Record<string, string> {
	return Object.fromEntries(list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]]] : []))) as Record<
		string,
		string
	>;
}
