import type { Coding } from "../../../helpers/coding.ts";

/** https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1 */
const CODINGS: Record<string, Coding> = { gzip: "gzip", "x-gzip": "gzip", deflate: "deflate", br: "br", zstd: "zstd" };

/**
 * The coding of a body by its `content-encoding`; `null` where there is none, or one that is not known: such a body
 * is handed on as it is. Throws for more than one: nobody needs that, and each would make more work of what the one
 * before has made.
 */
export function codingOf(contentEncoding: string): Coding | null {
	const names = contentEncoding
		.toLowerCase()
		.split(",")
		.map((part) => part.trim())
		.filter((name) => name !== "" && name !== "identity");
	if (names.length > 1) throw new Error("the response has more than one content encoding");
	return names.length === 1 && Object.hasOwn(CODINGS, names[0]) ? CODINGS[names[0]] : null;
}
