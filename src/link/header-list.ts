/** The first value of a header in a list of names and values, names in lower case; `undefined` where it is not there. */
export function headerIn(list: readonly string[], name: string): string | undefined {
	for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
	return undefined;
}

/** All of its values, as one. */
export function joinedIn(list: readonly string[], name: string): string | undefined {
	const found: string[] = [];
	for (let i = 0; i < list.length; i += 2) if (list[i] === name) found.push(list[i + 1]);
	return found.length === 0 ? undefined : found.join(", ");
}
