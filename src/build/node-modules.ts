import { builtinModules } from "node:module";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { OnResolveResult, Plugin } from "esbuild";
import { absence } from "./absent.ts";
import type { Gate } from "./gate.ts";
import { isInPackage } from "./resolver.ts";
import { plainPath, RESOLVED } from "./sources.ts";

/** Where the modules of `compat/` are, as sources or built. */
const here = fileURLToPath(import.meta.url);
const extension = here.slice(here.lastIndexOf("."));
const folder = fileURLToPath(new URL("../compat", import.meta.url));
const local = (name: string) => `${folder}/${name}${extension}`;

/** What stands in for a Node built-in: a module of ours, or of a package that atoll depends on. */
const MODULES: Record<string, string> = {
	assert: "assert/build/assert.js",
	"assert/strict": "assert/build/assert.js",
	async_hooks: local("async_hooks"),
	buffer: local("buffer"),
	console: local("console"),
	constants: "unenv/node/constants",
	crypto: local("crypto"),
	diagnostics_channel: local("diagnostics_channel"),
	events: local("events"),
	http: local("http"),
	https: local("https"),
	module: local("module"),
	net: local("net"),
	os: local("os"),
	path: "path-browserify",
	"path/posix": "path-browserify",
	perf_hooks: local("perf_hooks"),
	process: local("process"),
	punycode: "unenv/node/punycode",
	querystring: "unenv/node/querystring",
	stream: local("stream"),
	"stream/consumers": local("stream-consumers"),
	"stream/promises": local("stream-promises"),
	"stream/web": local("stream-web"),
	string_decoder: "string_decoder/lib/string_decoder.js",
	timers: local("timers"),
	"timers/promises": local("timers-promises"),
	tty: local("tty"),
	url: "unenv/node/url",
	util: local("util"),
	"util/types": "unenv/node/util/types",
	zlib: local("zlib"),
};

/** Modules of other platforms that code for them imports. */
const PLATFORMS: Record<string, string> = {
	"cloudflare:node": local("cloudflare-node"),
	"cloudflare:sockets": local("sockets"),
	"cloudflare:workers": local("workers"),
};

/** What to use in the place of a built-in for which there is no stand-in. */
const INSTEAD: Record<string, string> = {
	child_process: "nothing: a function cannot start processes",
	cluster: "nothing: the platform scales functions",
	dgram: "fetch(): functions open no sockets",
	dns: "fetch(), which resolves names itself",
	fs: "an `import` of the file, which is bundled, or fetch()",
	http2: "fetch()",
	tls: "fetch() with an https URL",
	vm: "nothing: each function already has an isolate of its own",
	worker_threads: "nothing: the platform runs functions in parallel",
};

const NAMES = new RegExp(
	`^(?:node:.*|cloudflare:.*|(?:${builtinModules.filter((name) => !name.startsWith("_")).join("|")})(?:/.*)?)$`,
);

/** Whose exports are globals, each bundled where a function names it. */
export const GLOBALS = local("globals");

export interface NodeModules {
	gate: Gate;
	/** Whether packages may import of a module what it does not export. */
	lenient: boolean;
	/** Told which were used. */
	onUse(name: string): void;
}
/** How the module that stands before a function names what makes globals of its variables and bindings. */
export const BINDINGS = "atoll:bindings";
/** And what has the globals of Node on the global object. */
export const GLOBAL_OBJECT = "atoll:global-object";
/** And what has the modules that it names, behind a colon, come from `process.getBuiltinModule`. */
export const BUILT_INS = "atoll:built-ins";

/**
 * Gives imports of Node built-ins what stands in for them, and has the others fail with a message that helps, when
 * `absence` says. An npm package of the same name is taken where the function has one.
 */
export function nodeModules({ gate, lenient, onUse }: NodeModules): Plugin {
	return {
		name: "node-modules",
		setup(build) {
			// Of what a function does not name nothing is left in the bundle, whatever the module does when it is
			// loaded.
			build.onResolve({ filter: /^\.\// }, ({ path, importer }) =>
				importer === GLOBALS ? { path: resolve(folder, path), sideEffects: false, pluginData: RESOLVED } : undefined,
			);
			build.onResolve({ filter: new RegExp(`^(?:${GLOBAL_OBJECT}|${BUILT_INS}:.*)$`) }, ({ path, resolveDir }) => {
				if (resolveDir !== "") return undefined;
				return path === GLOBAL_OBJECT
					? { path: local("global-object"), pluginData: RESOLVED }
					: { path: path.slice(BUILT_INS.length + 1), namespace: "built-ins" };
			});
			build.onLoad({ filter: /.*/, namespace: "built-ins" }, ({ path }) => ({
				contents: builtInModules(path.split(",")),
				resolveDir: folder,
			}));
			build.onResolve({ filter: new RegExp(`^${BINDINGS}$`) }, ({ resolveDir }) =>
				resolveDir === "" ? { path: local("bindings"), pluginData: RESOLVED } : undefined,
			);
			// As it is loaded it looks at the prototypes of async functions, which must not be lowered for that.
			build.onLoad({ filter: /[\\/]node-inspect-extracted[\\/]dist[\\/]inspect\.js$/ }, ({ path }) => {
				const source = gate.read(path).toString();
				return {
					contents: source.replace(/async function\*?\(\)\{\}/g, (text) => `Function("return ${text}")()`),
					loader: "js",
				};
			});
			build.onResolve({ filter: NAMES }, async ({ path, importer, resolveDir, kind, pluginData }) => {
				if (pluginData === SECOND_TRY) return undefined;
				const byPackage = gate.root.bundled || isInPackage(resolveDir);
				const isOurs =
					importer.startsWith(folder) ||
					/[\\/]node_modules[\\/](?:unenv|readable-stream|assert|util)[\\/]/.test(importer);
				// The package of that name has its ticks wait for a timer. That ends with the request which has started
				// it, and ticks of later requests would wait for it still.
				const name = isOurs && path === "process/" ? "process" : path.replace(/^node:/, "");
				let resolved: OnResolveResult | undefined;
				if (path === name && !isOurs) {
					const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: SECOND_TRY });
					if (found.errors.length === 0) resolved = found;
					if (isAbsolute(found.path)) return resolved;
				}
				if (isOurs && path === name && MODULES[name] === undefined) return undefined;
				const target = isOurs && name === "async_hooks" ? local("async-resource") : (MODULES[name] ?? PLATFORMS[path]);
				if (target !== undefined) {
					if (!isOurs) onUse(name);
					const found = await build.resolve(target, { kind, importer, resolveDir: folder, pluginData: SECOND_TRY });
					const isRequired = kind === "require-call" || (lenient && byPackage);
					if (isOurs || !isRequired || found.errors.length > 0) return found;
					return { path: name, namespace: "required", pluginData: plainPath(found.path) };
				}
				// A package may say that it has no use for the module in a browser; others than these it gets all the same.
				if (resolved?.namespace === "disabled") return resolved;
				const fails = absence({ gate, importer: plainPath(importer), specifier: path, kind, byPackage });
				if (fails === "build") return { errors: [{ text: whyAbsent(path) }] };
				return { path, namespace: `absent-on-${fails}`, sideEffects: fails === "load" };
			});
			build.onLoad({ filter: /.*/, namespace: "required" }, ({ path, pluginData }) => ({
				contents: requiredModule(path, pluginData as string),
				resolveDir: folder,
			}));
			build.onLoad({ filter: /.*/, namespace: "absent-on-load" }, ({ path }) => ({
				contents: `throw Object.assign(new Error(${JSON.stringify(whyAbsent(path))}), { code: "MODULE_NOT_FOUND" });`,
			}));
			build.onLoad({ filter: /.*/, namespace: "absent-on-use" }, ({ path }) => ({
				contents: `module.exports = require(${JSON.stringify(local("absent"))}).absentModule(${JSON.stringify(path)}, ${JSON.stringify(whyAbsent(path))});`,
				resolveDir: folder,
			}));
		},
	};
}

/** Has `process.getBuiltinModule` find modules of which a function names the others in vain. */
function builtInModules(names: readonly string[]): string {
	const known = names.filter((name) => Object.hasOwn(MODULES, name));
	const imports = known.map((name, i) => `import * as m${i} from ${JSON.stringify(`node:${name}`)};`);
	const kept = known.map((name, i) => `builtIns.set(${JSON.stringify(name)}, m${i}.default ?? m${i});`);
	const registry = `import { builtIns } from ${JSON.stringify(local("built-ins"))};`;
	return [registry, ...imports, ...kept].join("\n");
}

/**
 * What Node gives to `require` is what it has as the default for `import`: a function, of some modules. Of what Node
 * has beside that, and a function does not, all is there as it is of a module that is absent as a whole.
 */
function requiredModule(name: string, path: string): string {
	const names = name === "process" ? [] : Object.keys(process.getBuiltinModule(name) ?? {});
	const why = `a function does not have this of Node's module "${name}".`;
	return `const module_ = require(${JSON.stringify(path)});
const { completed } = require(${JSON.stringify(local("absent"))});
module.exports = completed(module_.default ?? module_, ${JSON.stringify([name, why, names])});`;
}

/** That a function does not have a module, and what to use instead. */
function whyAbsent(path: string): string {
	const instead = INSTEAD[path.replace(/^node:/, "").split("/")[0]];
	const advice = instead === undefined ? "" : ` Use instead: ${instead}.`;
	const what = path.startsWith("cloudflare:") ? "a module of Cloudflare's platform" : "a Node.js built-in";
	return `"${path}" is ${what}, which a function does not have.${advice}`;
}

const SECOND_TRY = Symbol("second try");
