import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import { TestRuntime } from "../support/runtime.ts";

const indexTypes = readFileSync("types/index.d.ts", "utf8");
const nodeTypes = ["node", "node-http"].map((name) => readFileSync(`types/${name}.d.ts`, "utf8")).join("");

/** What `types/node*.d.ts` have each of Node's modules export, `default` aside. */
function declaredModules(): Map<string, Set<string>> {
	const modules = new Map<string, Set<string>>();
	for (const [, name, body] of nodeTypes.matchAll(/^declare module "(node:[^"]+)" \{\n([\s\S]*?)^\}/gm)) {
		const one = [...body.matchAll(/^\texport (?:const|function|(?:abstract )?class) (\w+)/gm)].map(
			([, exported]) => exported,
		);
		const lists = [...body.matchAll(/^\texport \{([^}]*)\}/gm)].flatMap(([, list]) => list.split(","));
		const listed = lists.map((text) => text.trim()).filter((text) => /^\w+$/.test(text) && text !== "default");
		const base = /^\texport \* from "([^"]+)"/m.exec(body)?.[1];
		modules.set(name, new Set([...one, ...listed, ...(base === undefined ? [] : (modules.get(base) ?? []))]));
	}
	return modules;
}

/** The global values that `types/index.d.ts` declares, each with what its declaration holds. */
function declaredGlobals(): Map<string, string> {
	const globals = new Map<string, string>();
	const body = indexTypes.slice(indexTypes.indexOf("\ndeclare global {"));
	for (const [whole, name] of body.matchAll(/^\t(?:class|const|function|var|namespace) (\w+)[\s\S]*?(?:;|^\t\})$/gm))
		if (!name.endsWith("Types")) globals.set(name, whole);
	// What is declared as a value of an interface of its name.
	for (const [whole, name] of body.matchAll(/^\tinterface (\w+)[\s\S]*?^\t\}$/gm))
		if (globals.has(name)) globals.set(name, `${globals.get(name)}\n${whole}`);
	return globals;
}

/** The members that a class's declaration has, its statics included. */
const membersOf = (declaration: string) =>
	[...declaration.matchAll(/^\t\t(?:static )?(?:readonly )?([a-z]\w*)\??[(:<]/gim)]
		.map(([, name]) => name)
		.filter((name) => name !== "constructor" && name !== "new" && name !== "prototype");

/** Of Node's, with no use in a function. */
const LEFT_OUT: Record<string, string[]> = {
	"node:net": [
		"BlockList",
		"Server",
		"Socket",
		"SocketAddress",
		"Stream",
		"connect",
		"createConnection",
		"createServer",
	],
	"node:zlib": ["brotliCompress", "brotliDecompress"].flatMap((name) => [
		name,
		`${name}Sync`,
		`create${name[0].toUpperCase()}${name.slice(1)}`,
	]),
	"node:path": ["_makeLong", "win32"],
	"node:path/posix": ["_makeLong", "win32"],
};
/** In every isolate, for what atoll itself bundles. */
const INTERNAL = ["__atoll_exports"];

describe("types", () => {
	const atoll = new TestRuntime({ isolation: "inline" });
	const ask = async <T>(name: string, source: string) => {
		await atoll.deploy(name, source);
		return JSON.parse(await atoll.text(name)) as T;
	};

	test("Node's modules export what their types do", async () => {
		const declared = declaredModules();
		assert.ok(declared.size > 15);
		const names = [...declared.keys()];
		const imports = names.map((name, i) => `import * as m${i} from "${name}";`).join("\n");
		const all = names.map((name, i) => `"${name}": Object.keys(m${i})`).join(", ");
		const found = await ask<Record<string, string[]>>(
			"modules",
			`${imports}\nexport default { fetch: () => Response.json({ ${all} }) };`,
		);
		for (const [name, exports] of declared) {
			const there = found[name].filter((one) => one !== "default" && !LEFT_OUT[name]?.includes(one));
			assert.deepEqual([...exports].toSorted(), there.toSorted(), name);
		}
	});

	test("the globals of an isolate are those that are declared, beside JavaScript's own", async () => {
		const there = await ask<string[]>(
			"globals",
			"export default { fetch: () => Response.json(Object.getOwnPropertyNames(globalThis)) };",
		);
		const own = runInContext("Object.getOwnPropertyNames(globalThis)", createContext()) as string[];
		const declared = declaredGlobals();
		const web = there.filter((name) => !own.includes(name) && !INTERNAL.includes(name));
		assert.deepEqual(
			web.filter((name) => !declared.has(name)),
			[],
			"undeclared",
		);
		const bundled = ["HTMLRewriter"]; // Where a function names it.
		assert.deepEqual(
			[...declared.keys()].filter((name) => !there.includes(name) && !bundled.includes(name)),
			[],
			"declared",
		);
	});

	test("a class has the members that its declaration has", async () => {
		const members: Record<string, string[]> = {};
		for (const [name, declaration] of declaredGlobals())
			if (/^[A-Z]/.test(name) && name !== "Deno" && name !== "WebAssembly" && name !== "HTMLRewriter")
				members[name] = membersOf(declaration);
		const missing = await ask<string[]>(
			"members",
			`const members = ${JSON.stringify(members)};
			const missing = [];
			for (const [name, all] of Object.entries(members)) {
				const it = globalThis[name];
				for (const one of all) if (!(one in it) && !(it.prototype && one in it.prototype)) missing.push(name + "." + one);
			}
			export default { fetch: () => Response.json(missing) };`,
		);
		assert.deepEqual(missing, []);
	});
});
