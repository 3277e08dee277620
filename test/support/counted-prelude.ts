import { type AnyNode, parse } from "acorn";
import { children } from "../../src/build/syntax-tree.ts";

/**
 * The prelude's script such that it counts the calls of its own functions, in `globalThis.__calls.count`: what a turn
 * takes in an isolate that nothing has been compiled in yet goes with it, and it is the same on every machine.
 */
export function countCalls(code: string): string {
	const insertions: { at: number; text: string }[] = [];
	const visit = (node: AnyNode): void => {
		for (const child of children(node)) visit(child);
		if (
			node.type !== "FunctionDeclaration" &&
			node.type !== "FunctionExpression" &&
			node.type !== "ArrowFunctionExpression"
		)
			return;
		const { body } = node;
		if (body.type === "BlockStatement") {
			const first = body.body.find((one) => !("directive" in one));
			insertions.push({ at: first?.start ?? body.end - 1, text: "calls$.count++;" });
		} else insertions.push({ at: body.start, text: "(calls$.count++," }, { at: body.end, text: ")" });
	};
	visit(parse(code, { ecmaVersion: "latest", preserveParens: true }));
	insertions.sort((one, other) => one.at - other.at);
	let counted = `"use strict";const calls$=globalThis.__calls={count:0};`;
	let from = 0;
	for (const { at, text } of insertions) {
		counted += code.slice(from, at) + text;
		from = at;
	}
	return counted + code.slice(from);
}
