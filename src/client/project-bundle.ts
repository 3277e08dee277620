import { builtinModules } from "node:module";
import { relative, resolve } from "node:path";
import { build, type Message, type Plugin } from "esbuild";
import { ClientError, Exit } from "./client-error.ts";

/** A module as it is uploaded. */
export interface BundledModule {
	path: string;
	mediaType: string;
	content: Uint8Array;
}

/** What stays an import, since the server has it. */
const NODE = new Set(builtinModules);
/** As the server's own builds have them, and those of other edge platforms. */
const CONDITIONS = ["workerd", "worker", "edge-light", "browser"];
const TEXT = [".txt", ".html", ".sql", ".svg"];

/**
 * Bundles a function where its packages are, into one module of JavaScript and the WebAssembly that it imports. Throws
 * ClientError with every problem of its source.
 */
export async function bundleProject(entry: string): Promise<{ main: string; modules: BundledModule[] }> {
	const wasm = new Map<string, Uint8Array>();
	try {
		const { outputFiles } = await build({
			entryPoints: [entry],
			bundle: true,
			write: false,
			format: "esm",
			target: "es2024",
			platform: "neutral",
			mainFields: ["browser", "module", "main"],
			conditions: CONDITIONS,
			outfile: resolve("index.js"),
			sourcemap: "inline",
			sourcesContent: true,
			charset: "utf8",
			jsx: "automatic",
			keepNames: true,
			logLevel: "silent",
			loader: { ...Object.fromEntries(TEXT.map((extension) => [extension, "text"])), ".bin": "binary" },
			define: { "process.env.NODE_ENV": '"production"' },
			plugins: [external(wasm)],
		});
		const modules = [...wasm].map(([path, content]) => ({ path, mediaType: "application/wasm", content }));
		const main = { path: "index.js", mediaType: "application/javascript+module", content: outputFiles[0].contents };
		return { main: "index.js", modules: [main, ...modules] };
	} catch (error) {
		const { errors } = error as { errors?: Message[] };
		if (errors === undefined) throw error;
		throw new ClientError(errors.map(describe).join("\n"), Exit.usage);
	}
}

function describe({ text, location }: Message): string {
	if (location === null) return text;
	const { file, line, column, lineText } = location;
	const isPackage = /^Could not resolve "[^./#]/.test(text);
	const hint = isPackage ? "; is the package installed? npm install" : "";
	return `${file}:${line}:${column + 1}: ${text}${hint}\n    ${lineText}`;
}

function external(wasm: Map<string, Uint8Array>): Plugin {
	return {
		name: "external",
		setup({ onResolve, resolve: find }) {
			onResolve({ filter: /^(?:node|cloudflare|workerd):/ }, ({ path }) => ({ path, external: true }));
			onResolve({ filter: /^[a-z_/0-9]+$/ }, async ({ path, kind, resolveDir, pluginData }) => {
				if (!NODE.has(path) || pluginData === "again") return undefined;
				// A package of the name comes first.
				const { errors, path: found } = await find(path, { kind, resolveDir, pluginData: "again" });
				return errors.length === 0 ? { path: found } : { path: `node:${path}`, external: true };
			});
			onResolve({ filter: /\.wasm(?:\?module)?$/ }, async ({ path, resolveDir, kind, pluginData }) => {
				if (pluginData === "again") return undefined;
				const { readFile } = await import("node:fs/promises");
				const { path: found, errors } = await find(path.replace(/\?module$/, ""), {
					kind,
					resolveDir,
					pluginData: "again",
				});
				if (errors.length > 0) return { errors };
				const name = `./${relative(".", found).replaceAll(/[^\w.-]/g, "-")}`;
				wasm.set(name.slice(2), await readFile(found));
				return { path: name, external: true };
			});
		},
	};
}
