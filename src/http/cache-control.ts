// A token, with what stands behind its equals sign: a quoted text, or whatever comes before the next comma.
const DIRECTIVE = /([^\s,;="]+)(?:[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.)*)"|([^\s,;]*)))?/g;

/** The directives of a Cache-Control header, names in lower case: RFC 9111, section 5.2. The first of each counts. */
export function readCacheControl(value: string | undefined): ReadonlyMap<string, string> {
	const directives = new Map<string, string>();
	for (const [, name, quoted, plain] of value?.matchAll(DIRECTIVE) ?? []) {
		const key = name.toLowerCase();
		if (!directives.has(key)) directives.set(key, quoted ?? plain ?? "");
	}
	return directives;
}
