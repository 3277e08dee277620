import type { AnyNode, CallExpression, MemberExpression, Program, TryStatement } from "acorn";
import { GLOBALS, ITERATES, METHODS, needsReceiver, TYPED_ARRAY } from "./built-ins.ts";
import { children, declared } from "./syntax-tree.ts";

/**
 * Makes a script independent of what becomes of JavaScript's built-ins after it has begun to run. Its calls of their
 * methods and static functions, its uses of their constructors and of iteration become uses of what
 * `prelude/intrinsics/` kept when the script began. A script that uses them in a way that cannot be made so is
 * refused.
 *
 * `intrinsics` is the text of an expression whose value has the exports of that folder's `index.ts`.
 */
export async function harden(script: string, intrinsics: string): Promise<string> {
	const { parse } = await import("acorn");
	return new Hardening(script, parse(script, { ecmaVersion: "latest" })).text(intrinsics);
}

/** A piece of the script, and what takes its place. */
interface Edit {
	start: number;
	end: number;
	text: string;
}

/** Built-ins that look up others, and what `prelude/intrinsics/` has in their place. */
const STAND_INS: Record<string, string> = {
	Promise: "$kept.makePromise",
	"Promise.all": "$kept.all",
	"Promise.prototype.then": "$kept.steadyThen",
	"Object.getOwnPropertyDescriptor": "$kept.descriptorOf",
};

class Hardening {
	readonly #script: string;
	readonly #edits: Edit[] = [];
	readonly #methods = new Set<string>();
	/** The names of what the script's own classes and records have. */
	readonly #members = new Set(Object.getOwnPropertyNames(Object.prototype));
	readonly #globals = new Map<string, string>();
	/** What a `return` here gives to: a caller, a promise, or a `try` inside of an async function. */
	#returns: "value" | "promise" | "caught" = "value";

	constructor(script: string, program: Program) {
		this.#script = script;
		this.#visit(program, null);
	}

	text(intrinsics: string): string {
		let text = "";
		let from = 0;
		for (const { start, end, text: replacement } of this.#edits.toSorted((a, b) => a.start - b.start)) {
			text += this.#script.slice(from, start) + replacement;
			from = end;
		}
		text += this.#script.slice(from);
		const methods = [...this.#methods].sort((a, b) => Number(this.#members.has(b)) - Number(this.#members.has(a)));
		const symbols = methods.map((name) => `$m_${name}`);
		const shared = methods.filter((name) => this.#members.has(name)).length;
		const globals = [...this.#globals].map(([name, value]) => `const ${name} = ${value};`);
		return `(() => {
const $kept = ${intrinsics};
const { each: $each, elements: $elements } = $kept;
const { apply: $apply } = Reflect;
const [${symbols}] = $kept.keepMethods(${JSON.stringify(methods)}, ${shared});
${globals.join("")}
${text}
})();`;
	}

	#insert(at: number, text: string): void {
		this.#replace(at, at, text);
	}

	#replace(start: number, end: number, text: string): void {
		this.#edits.push({ start, end, text });
	}

	#around(node: AnyNode, before: string, after: string, parent: AnyNode): void {
		this.#insert(node.start, before);
		this.#visit(node, parent);
		this.#insert(node.end, after);
	}

	#refuse(node: AnyNode, why: string): never {
		throw new Error(`${why}: ${this.#script.slice(node.start, node.start + 80)}`);
	}

	/** Edits are added in the order of the text: of two at one place the earlier comes first. */
	#visit(node: AnyNode, parent: AnyNode | null): void {
		for (const name of declared(node))
			if (GLOBALS.has(name)) throw new Error(`the script declares a ${name} of its own`);
		switch (node.type) {
			case "CallExpression":
				this.#visitCall(node);
				break;
			case "NewExpression":
				for (const argument of node.arguments) this.#disinherit(argument);
				if (node.callee.type === "Identifier" && ITERATES.has(node.callee.name)) this.#visitIterating(node, "$each(");
				else if (node.callee.type === "Identifier" && TYPED_ARRAY.test(node.callee.name))
					this.#visitIterating(node, "$elements(");
				else this.#visitChildren(node);
				break;
			case "SpreadElement":
				if (parent?.type === "ObjectExpression") this.#visitChildren(node);
				else this.#around(node.argument, "$each(", ")", node);
				break;
			case "ForOfStatement":
				this.#visit(node.left, node);
				this.#around(node.right, "$each(", ")", node);
				this.#visit(node.body, node);
				break;
			case "ArrayPattern":
				this.#visitPattern(node);
				break;
			case "AssignmentExpression":
				if (node.left.type === "ArrayPattern") this.#insert(node.start, "(");
				this.#visitChildren(node);
				if (node.left.type === "ArrayPattern") this.#insert(node.end, ")");
				break;
			case "FunctionDeclaration":
			case "FunctionExpression":
			case "ArrowFunctionExpression":
				this.#visitFunction(node);
				break;
			case "ReturnStatement":
				if (node.argument) this.#visitReturned(node.argument, node);
				break;
			case "TryStatement":
				this.#visitTry(node);
				break;
			case "MemberExpression":
				if (!this.#visitStatic(node)) this.#visitChildren(node);
				break;
			case "MethodDefinition":
				if (!node.computed && node.key.type === "Identifier") this.#members.add(node.key.name);
				this.#visitChildren(node);
				break;
			case "Property":
				if (!node.computed && node.key.type === "Identifier") this.#members.add(node.key.name);
				if (node.shorthand && node.value.type === "Identifier" && GLOBALS.has(node.value.name))
					this.#insert(node.start, `${node.value.name}: `);
				if (node.computed) this.#visit(node.key, node);
				this.#visit(node.value, node);
				break;
			case "Identifier":
				if (GLOBALS.has(node.name)) this.#keep(node, node.name);
				break;
			default:
				this.#visitChildren(node);
		}
	}

	#visitChildren(node: AnyNode): void {
		for (const child of children(node)) this.#visit(child, node);
	}

	/** Puts a constant in the place of a built-in, which has its value from when the script began. */
	#keep(node: AnyNode, path: string, value = path): void {
		const kept = `$g_${path.replaceAll(".", "_")}`;
		this.#globals.set(kept, STAND_INS[path] ?? value);
		this.#replace(node.start, node.end, kept);
	}

	/** `Object.keys` and `Object.prototype.toString`, and the like. */
	#visitStatic(node: MemberExpression): boolean {
		const path = this.#script.slice(node.start, node.end);
		const [global, ...names] = path.split(".");
		if (!GLOBALS.has(global) || path === "Error.captureStackTrace") return false;
		if (names.length !== 1 && (names.length !== 2 || names[0] !== "prototype")) return false;
		const value = names.reduce<unknown>(
			(object, name) => (object as Record<string, unknown> | undefined)?.[name],
			(globalThis as unknown as Record<string, unknown>)[global],
		);
		if (typeof value !== "function") return false;
		const receives = names.length === 1 && needsReceiver(global, names[0]);
		this.#keep(node, path, receives ? `${path}.bind(${global})` : path);
		return true;
	}

	#visitCall(node: CallExpression): void {
		const { callee } = node;
		if (callee.type !== "MemberExpression" || callee.computed || callee.property.type !== "Identifier") {
			if (callee.type === "Super") for (const argument of node.arguments) this.#disinherit(argument);
			this.#visitChildren(node);
			return;
		}
		const { object, property } = callee;
		const path = object.type === "Identifier" ? `${object.name}.${property.name}` : "";
		if (ITERATES.has(path)) {
			this.#visitIterating(node, "$each(");
		} else if (path === "Object.defineProperty" || path === "Reflect.defineProperty") {
			this.#disinherit(node.arguments[2]);
			this.#visitChildren(node);
		} else if (this.#visitStatic(callee)) {
			for (const argument of node.arguments) this.#visit(argument, node);
		} else if (property.name === "call" || property.name === "apply") {
			this.#visitReflected(node, callee, property.name === "apply");
		} else {
			this.#visit(object, callee);
			if (METHODS.has(property.name) && object.type !== "Super") {
				this.#methods.add(property.name);
				const dot = this.#dot(callee);
				this.#replace(dot, property.end, `${callee.optional ? "?." : ""}[$m_${property.name}]`);
			}
			for (const argument of node.arguments) this.#visit(argument, node);
		}
	}

	/** `f.call(self, a, b)` and `f.apply(self, list)`, as `Reflect.apply`. */
	#visitReflected(node: CallExpression, callee: MemberExpression, listed: boolean): void {
		const [self, ...rest] = node.arguments;
		if (self === undefined || self.type === "SpreadElement") this.#refuse(node, "not to be made Reflect.apply");
		this.#insert(node.start, "$apply(");
		this.#visit(callee.object, callee);
		this.#replace(this.#dot(callee), self.start, ", ");
		this.#visit(self, node);
		const list = !listed || rest.length === 0;
		if (list) this.#replace(self.end, rest[0]?.start ?? self.end, ", [");
		for (const argument of rest) this.#visit(argument, node);
		if (list) this.#insert(node.end - 1, "]");
	}

	/**
	 * A record that is written down where it is handed over does not inherit what a function put on Object.prototype.
	 */
	#disinherit(node: AnyNode | undefined): void {
		if (node?.type === "ObjectExpression") this.#insert(node.start + 1, " __proto__: null,");
	}

	/** Where the dot of `object.property` stands. */
	#dot(node: MemberExpression): number {
		return this.#script.lastIndexOf(node.optional ? "?." : ".", node.property.start - 1);
	}

	/** A call whose first argument is iterated. */
	#visitIterating(node: AnyNode & { type: "CallExpression" | "NewExpression" }, before: string): void {
		this.#visit(node.callee, node);
		node.arguments.forEach((argument, i) => {
			if (i === 0) this.#around(argument, before, ")", node);
			else this.#visit(argument, node);
		});
	}

	/** `[a, , b]`, whose parts iteration would give, as `{ 0: a, 2: b }`. */
	#visitPattern(node: AnyNode & { type: "ArrayPattern" }): void {
		let from = node.start;
		let separator = "{";
		node.elements.forEach((element, i) => {
			if (element === null) return;
			if (element.type === "RestElement") this.#refuse(node, "a pattern with a rest");
			this.#replace(from, element.start, `${separator} ${i}: `);
			this.#visit(element, node);
			from = element.end;
			separator = ",";
		});
		this.#replace(from, node.end, "}");
	}

	/** An async function that returns a promise looks up that promise's `then`, which `await` does not. */
	#visitFunction(
		node: AnyNode & { type: "FunctionDeclaration" | "FunctionExpression" | "ArrowFunctionExpression" },
	): void {
		const outer = this.#returns;
		this.#returns = node.async && !node.generator ? "promise" : "value";
		for (const parameter of node.params) this.#visit(parameter, node);
		if (node.body.type === "BlockStatement") this.#visit(node.body, node);
		else this.#visitReturned(node.body, node);
		this.#returns = outer;
	}

	#visitReturned(value: AnyNode, parent: AnyNode): void {
		if (this.#returns === "value" || !MAY_BE_PROMISE.has(value.type)) this.#visit(value, parent);
		else if (this.#returns === "promise") this.#around(value, "await (", ")", parent);
		else this.#refuse(parent, "what is returned inside of a try needs an await, or must not have one");
	}

	#visitTry(node: TryStatement): void {
		const outer = this.#returns;
		if (outer === "promise" && node.handler) this.#returns = "caught";
		this.#visit(node.block, node);
		this.#returns = outer;
		if (node.handler) this.#visit(node.handler, node);
		if (node.finalizer) this.#visit(node.finalizer, node);
	}
}

const MAY_BE_PROMISE = new Set([
	"CallExpression",
	"ConditionalExpression",
	"Identifier",
	"LogicalExpression",
	"MemberExpression",
]);
