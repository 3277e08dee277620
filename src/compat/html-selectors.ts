import type { AttributeSelector, Selector } from "css-what";

/** An element that is open, as selectors see it. */
export interface OpenElement {
	name: string;
	attributes: Map<string, string>;
	/** Its place among its parent's elements, and among those of its name; from 1. */
	index: number;
	indexOfType: number;
	children: number;
	childrenByName: Map<string, number>;
}

/** `an+b`, `odd`, `even` or a number. */
function matchesNth(formula: string, position: number): boolean {
	const text = formula.trim().toLowerCase();
	if (text === "odd") return position % 2 === 1;
	if (text === "even") return position % 2 === 0;
	const match = /^([+-]?\d*)n\s*(?:([+-])\s*(\d+))?$/.exec(text);
	if (match === null) return position === Number(text);
	const step = match[1] === "" || match[1] === "+" ? 1 : match[1] === "-" ? -1 : Number(match[1]);
	const rest = position - (match[3] === undefined ? 0 : Number(`${match[2]}${match[3]}`));
	return step === 0 ? rest === 0 : rest / step >= 0 && rest % step === 0;
}

function matchesAttribute(
	{ name, action, value, ignoreCase }: AttributeSelector,
	{ attributes }: OpenElement,
): boolean {
	const found = attributes.get(name.toLowerCase());
	if (found === undefined) return false;
	const [own, wanted] = ignoreCase === true ? [found.toLowerCase(), value.toLowerCase()] : [found, value];
	switch (action as string) {
		case "exists":
			return true;
		case "equals":
			return own === wanted;
		case "element":
			return wanted !== "" && own.split(/\s+/).includes(wanted);
		case "start":
			return wanted !== "" && own.startsWith(wanted);
		case "end":
			return wanted !== "" && own.endsWith(wanted);
		case "any":
			return wanted !== "" && own.includes(wanted);
		case "hyphen":
			return own === wanted || own.startsWith(`${wanted}-`);
		default:
			return own !== wanted;
	}
}

/** Whether one simple selector holds for an element. Throws for what a stream cannot tell. */
export function matchesSimple(selector: Selector, open: OpenElement): boolean {
	switch (selector.type as string) {
		case "universal":
			return true;
		case "tag":
			return (selector as { name: string }).name.toLowerCase() === open.name;
		case "attribute":
			return matchesAttribute(selector as AttributeSelector, open);
		case "pseudo": {
			const { name, data } = selector as { name: string; data: unknown };
			if (name === "not") return !(data as Selector[][]).some((all) => all.every((one) => matchesSimple(one, open)));
			if (name === "first-child") return open.index === 1;
			if (name === "first-of-type") return open.indexOfType === 1;
			if (name === "nth-child") return matchesNth(data as string, open.index);
			if (name === "nth-of-type") return matchesNth(data as string, open.indexOfType);
		}
	}
	throw new TypeError("HTMLRewriter: this kind of selector is not supported");
}

/** Whether the last of the open elements matches a complex selector. */
export function matches(
	selector: Selector[],
	stack: OpenElement[],
	at = stack.length - 1,
	end = selector.length,
): boolean {
	let start = end;
	while (start > 0 && selector[start - 1].type !== "child" && selector[start - 1].type !== "descendant") start--;
	if (at < 0) return false;
	for (let i = start; i < end; i++) if (!matchesSimple(selector[i], stack[at])) return false;
	if (start === 0) return true;
	if (selector[start - 1].type === "child") return matches(selector, stack, at - 1, start - 1);
	for (let ancestor = at - 1; ancestor >= 0; ancestor--) if (matches(selector, stack, ancestor, start - 1)) return true;
	return false;
}
