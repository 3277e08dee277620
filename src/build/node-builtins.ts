import { builtinModules } from "node:module";
import type { Plugin } from "esbuild";

/** What to use in the place of a Node built-in: the Web's own API where there is one. */
const INSTEAD: Record<string, string> = {
	assert: "throw an Error yourself, or bundle the npm package `assert`",
	buffer: "Uint8Array, TextEncoder, TextDecoder and atob/btoa",
	child_process: "nothing: a function cannot start processes",
	cluster: "nothing: the platform scales functions",
	crypto: "the global `crypto` (Web Crypto)",
	dns: "fetch(), which resolves names itself",
	events: "EventTarget, or bundle the npm package `events`",
	fs: "an `import` of the file, which is bundled, or fetch()",
	http: "fetch() for requests out, and the exported fetch handler for requests in",
	http2: "fetch()",
	https: "fetch()",
	net: "fetch(): functions open no sockets",
	os: "navigator",
	path: "URL, or bundle the npm package `path-browserify`",
	perf_hooks: "the global `performance`",
	process: "the handler's second argument, `env`",
	querystring: "URLSearchParams",
	stream: "ReadableStream, WritableStream and TransformStream",
	string_decoder: "TextDecoder",
	timers: "the global setTimeout and setInterval",
	tls: "fetch() with an https URL",
	url: "the global URL and URLSearchParams",
	util: "TextEncoder, TextDecoder and structuredClone",
	vm: "nothing: each function already has an isolate of its own",
	worker_threads: "nothing: the platform runs functions in parallel",
	zlib: "fetch(), which decompresses by itself, or the npm package `fflate`",
};

const NAMES = new RegExp(
	`^(?:node:.*|(?:${builtinModules.filter((name) => !name.startsWith("_")).join("|")})(?:/.*)?)$`,
);

/** Refuses imports of Node built-ins with a message that helps; an npm package of the same name is taken where there is one. */
export const nodeBuiltins: Plugin = {
	name: "node-builtins",
	setup(build) {
		build.onResolve({ filter: NAMES }, async ({ path, importer, resolveDir, kind, pluginData }) => {
			if (pluginData === SECOND_TRY) return undefined;
			if (!path.startsWith("node:")) {
				const resolved = await build.resolve(path, { kind, importer, resolveDir, pluginData: SECOND_TRY });
				if (resolved.errors.length === 0 && resolved.path !== "") return resolved;
			}
			const name = path.replace(/^node:/, "");
			const instead = INSTEAD[name.split("/")[0]];
			const advice = instead === undefined ? "" : ` Use instead: ${instead}.`;
			return { errors: [{ text: `"${path}" is a Node.js built-in, which a function does not have.${advice}` }] };
		});
	},
};

const SECOND_TRY = Symbol("second try");
