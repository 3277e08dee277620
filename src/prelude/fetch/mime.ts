/** A MIME type as https://mimesniff.spec.whatwg.org/#parsing-a-mime-type makes it. */
export interface Mime {
	essence: string;
	parameters: Map<string, string>;
	/** Its serialisation. */
	text: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function parseMime(input: string): Mime | null {
	// A Content-Type that was sent twice counts for its last value:
	// https://fetch.spec.whatwg.org/#concept-header-extract-mime-type
	const match = /^[\t\n\r ]*([^/]*)\/([^;]*?)[\t\n\r ]*(;.*)?$/s.exec(input);
	if (match === null || !TOKEN.test(match[1]) || !TOKEN.test(match[2])) return null;
	const essence = `${match[1]}/${match[2]}`.toLowerCase();
	const parameters = new Map<string, string>();
	const rest = match[3] ?? "";
	const pattern = /;[\t\n\r ]*([^;=]*)(?:=(?:"((?:[^"\\]|\\.?)*)"?[^;]*|([^;]*)))?/gs;
	for (let part = pattern.exec(rest); part !== null; part = pattern.exec(rest)) {
		const name = part[1].toLowerCase();
		const quoted = part[2] !== undefined;
		const value = quoted ? part[2].replace(/\\(.)/gs, "$1") : (part[3] ?? "").replace(/[\t\n\r ]+$/, "");
		if (!TOKEN.test(name) || (!quoted && value === "") || /[^\t\x20-\x7e\x80-\xff]/.test(value) || parameters.has(name))
			continue;
		parameters.set(name, value);
	}
	let text = essence;
	for (const [name, value] of parameters) {
		text += `;${name}=${TOKEN.test(value) ? value : `"${value.replace(/(["\\])/g, "\\$1")}"`}`;
	}
	return { essence, parameters, text };
}
