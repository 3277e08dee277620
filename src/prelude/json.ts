/**
 * A text as JSON. `JSON.stringify` looks up `toJSON` of objects and bigints only
 * (https://tc39.es/ecma262/#sec-serializejsonproperty), so that of a text asks nothing that a function could have
 * changed; of a list or a record it would.
 */
export function quote(text: string): string {
	return JSON.stringify(text);
}

/** A list of texts as JSON. */
export function quoteList(list: string[]): string {
	let text = "[";
	for (let i = 0; i < list.length; i++) text += i === 0 ? quote(list[i]) : `,${quote(list[i])}`;
	return `${text}]`;
}
