import type { AnyNode } from "acorn";

/** The nodes directly within a node, but for names that stand for nothing outside of it. */
export function children(node: AnyNode): AnyNode[] {
	const named = "computed" in node && !node.computed;
	const found: AnyNode[] = [];
	for (const key in node) {
		if (key === "label" || (named && (key === "property" || key === "key"))) continue;
		const value = node[key as keyof AnyNode] as unknown;
		if (Array.isArray(value)) for (const one of value) add(found, one);
		else add(found, value);
	}
	return found;
}

function add(found: AnyNode[], value: unknown): void {
	if (typeof (value as AnyNode | null | undefined)?.type === "string") found.push(value as AnyNode);
}

/** The names that a node itself declares. */
export function declared(node: AnyNode): string[] {
	switch (node.type) {
		case "VariableDeclarator":
			return bound(node.id);
		case "CatchClause":
			return bound(node.param);
		case "ClassDeclaration":
		case "ClassExpression":
			return bound(node.id);
		case "FunctionDeclaration":
		case "FunctionExpression":
			return [...bound(node.id), ...node.params.flatMap(bound)];
		case "ArrowFunctionExpression":
			return node.params.flatMap(bound);
		default:
			return [];
	}
}

function bound(pattern: AnyNode | null | undefined): string[] {
	switch (pattern?.type) {
		case "Identifier":
			return [pattern.name];
		case "ObjectPattern":
			return pattern.properties.flatMap((property) => bound(property.type === "Property" ? property.value : property));
		case "ArrayPattern":
			return pattern.elements.flatMap(bound);
		case "AssignmentPattern":
			return bound(pattern.left);
		case "RestElement":
			return bound(pattern.argument);
		default:
			return [];
	}
}
