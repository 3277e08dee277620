import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { AnyNode, Identifier } from "acorn";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { bindingFolders } from "../bindings/folders.ts";
import { GLOBALS } from "../bindings/registry.ts";

const ENTRY = fileURLToPath(new URL("../prelude/index.ts", import.meta.url));
/** What `prelude/stubs.ts` imports, which is made here. */
const STUBS_MODULE = "bindings:stubs";
const STUBS = new RegExp(`^${STUBS_MODULE}$`);
/** Behind the path of a module: the function that loads it. */
const LOADER = "?load";

/**
 * Bundles the prelude. What a module of it names as `require("./other.ts")` becomes a call of a function which holds
 * all of that module, and what only such modules import. Until it is called the base snapshot has its text and
 * nothing else; esbuild's own way would leave every function of it in the outermost scope.
 */
export async function bundleLazily(options: BuildOptions): Promise<string> {
	const { metafile } = await build({ ...options, entryPoints: [ENTRY], metafile: true, plugins: [requiring] });
	const eager = new Set(Object.keys(metafile?.inputs ?? {}).map((path) => resolve(path)));
	const loaders: Plugin = {
		name: "loaders",
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /\?load$/ }, ({ path, resolveDir }) => ({
				path: resolve(resolveDir, path.slice(0, -LOADER.length)),
				namespace: "loader",
			}));
			onLoad({ filter: /./, namespace: "loader" }, async ({ path }) => ({
				contents: await loader(path, eager, options),
				resolveDir: resolve(path, ".."),
			}));
		},
	};
	const { outputFiles } = await build({
		...options,
		entryPoints: [ENTRY],
		format: "iife",
		plugins: [loaders, requiring],
	});
	return outputFiles?.[0].text as string;
}

/** Has modules import the functions that load what they name as `require("./other.ts")`. */
const requiring: Plugin = {
	name: "require",
	setup({ onLoad, onResolve }) {
		onLoad({ filter: /[\\/](?:prelude|bindings)[\\/].+\.ts$/ }, ({ path }) => {
			const imports = new Map<string, string>();
			const contents = readFileSync(path, "utf8").replace(/\brequire\("(.+?)"\)/g, (_, name: string) => {
				const load = imports.get(name) ?? `load_${imports.size}`;
				imports.set(name, load);
				return `${load}()`;
			});
			const statements = [...imports].map(([name, load]) => `import ${load} from "${name}${LOADER}";`);
			return { contents: `${statements.join("")}${contents}`, loader: "ts" };
		});
		onResolve({ filter: /\?load$/ }, ({ path, resolveDir }) => ({ path: resolve(resolveDir, path), external: true }));
		onResolve({ filter: STUBS }, () => ({ path: STUBS_MODULE, namespace: "stubs" }));
		onLoad({ filter: STUBS, namespace: "stubs" }, () => ({ contents: stubs(), resolveDir: "/", loader: "js" }));
	},
};

/** The functions that load the isolate's sides of bindings, by the bindings' names. */
function stubs(): string {
	const sides = [...bindingFolders()]
		.filter(([name]) => !GLOBALS.includes(name))
		.map(([name, folder]) => ({ name, path: fileURLToPath(new URL("isolate.ts", folder)) }))
		.filter(({ path }) => existsSync(path));
	const imports = sides.map(({ path }, i) => `import stub_${i} from ${JSON.stringify(path + LOADER)};`);
	const entries = sides.map(({ name }, i) => `${JSON.stringify(name)}: stub_${i}`);
	return `${imports.join("")}export const STUBS = { __proto__: null, ${entries.join(", ")} };`;
}

/** The module behind `path?load`: the one at `path` as a function that gives its exports. */
async function loader(path: string, eager: Set<string>, options: BuildOptions): Promise<string> {
	const shared: Plugin = {
		name: "shared",
		setup({ onResolve }) {
			onResolve({ filter: /^\..*\.ts$/ }, ({ path: name, resolveDir }) => {
				const imported = resolve(resolveDir, name);
				return eager.has(imported) ? { path: imported, external: true } : undefined;
			});
		},
	};
	const { outputFiles } = await build({ ...options, entryPoints: [path], format: "esm", plugins: [shared, requiring] });
	const script = outputFiles?.[0].text as string;
	const { parse } = await import("acorn");
	let imports = "";
	let body = "";
	const exported: string[] = [];
	for (const node of parse(script, { ecmaVersion: "latest", sourceType: "module" }).body as AnyNode[]) {
		const text = script.slice(node.start, node.end);
		if (node.type === "ImportDeclaration") imports += text;
		else if (node.type !== "ExportNamedDeclaration") body += `${text}\n`;
		else
			for (const { local, exported: name } of node.specifiers)
				exported.push(`${(name as Identifier).name}: ${(local as Identifier).name}`);
	}
	return `${imports}
let exports;
export default () => (exports ??= load());
function load() {
${body}return { ${exported.join(", ")} };
}`;
}
