/** What an alert is told apart by: `alertname`, `severity`, `tenant`, `function`, and what its rule says beside them. */
export type Labels = Readonly<Record<string, string>>;

/** Whether labels are as all of some matchers have them. A label that is not there is empty. */
export function matchesAll(matchers: readonly string[], labels: Labels): boolean {
	return matchers.every((matcher) => matches(matcher, labels));
}

function matches(matcher: string, labels: Labels): boolean {
	const at = matcher.indexOf("=");
	const isNot = matcher[at - 1] === "!";
	const name = matcher.slice(0, isNot ? at - 1 : at);
	const value = Object.hasOwn(labels, name) ? labels[name] : "";
	return isLike(value, matcher.slice(at + 1)) !== isNot;
}

/** Whether a text is as a pattern has it, in which `*` stands for anything. Goes through the text once. */
export function isLike(text: string, pattern: string): boolean {
	if (pattern === "*") return true;
	const parts = pattern.split("*");
	if (parts.length === 1) return text === pattern;
	const [first, last] = [parts[0], parts[parts.length - 1]];
	if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
	const end = text.length - last.length;
	let at = first.length;
	for (const part of parts.slice(1, -1)) {
		const found = text.indexOf(part, at);
		if (found === -1 || found + part.length > end) return false;
		at = found + part.length;
	}
	return true;
}
