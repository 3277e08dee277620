import type { AnyNode } from "acorn";

/** The nodes directly within a node, but for names that stand for nothing outside of it. */
export function children(node: AnyNode): AnyNode[] {
	const named = "computed" in node && !node.computed;
	const found: AnyNode[] = [];
	for (const [key, value] of Object.entries(node)) {
		if (key === "label" || (named && (key === "property" || key === "key"))) continue;
		for (const child of Array.isArray(value) ? (value as unknown[]) : [value])
			if (typeof (child as AnyNode | null)?.type === "string") found.push(child as AnyNode);
	}
	return found;
}

/** The names that a script declares anywhere. */
export function declared(node: AnyNode): string[] {
	const patterns: (AnyNode | null | undefined)[] = [];
	if (node.type === "VariableDeclarator") patterns.push(node.id);
	if (node.type === "CatchClause") patterns.push(node.param);
	if (node.type === "ClassDeclaration" || node.type === "ClassExpression") patterns.push(node.id);
	if (node.type === "FunctionDeclaration" || node.type === "FunctionExpression") patterns.push(node.id);
	if ("params" in node) patterns.push(...node.params);
	return [...patterns.flatMap(bound), ...children(node).flatMap(declared)];
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
