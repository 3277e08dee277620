/** The first value of a header in a list of names and values, names in lower case; `undefined` where it is not there. */
export function headerIn(list: readonly string[], name: string): string | undefined {
	for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
	return undefined;
}
