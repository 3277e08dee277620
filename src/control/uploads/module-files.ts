import type { HonoRequest } from "hono";
import type { z } from "zod";
import { NO_FUNCTION } from "../../assets/asset-config.ts";
import type { GivenFiles } from "../../build/given-files.ts";
import { ControlError } from "../control-error.ts";
import { checked, parseBody } from "../json.ts";

/** What an uploaded module is, as whoever imports it has it. */
type ModuleType = "esm" | "commonjs" | "text" | "data" | "wasm" | "json";

/** One file of an upload. */
export interface UploadedModule {
	/** Relative, with slashes, and as it is imported. */
	path: string;
	type: ModuleType;
	content: Uint8Array;
}

/** The module of a version that has files alone. */
export const NO_MODULE: UploadedModule = {
	path: NO_FUNCTION.path,
	type: "esm",
	content: Buffer.from(NO_FUNCTION.source),
};

/** What a module is, by its part's media type. */
const TYPES: Record<string, ModuleType> = {
	"application/javascript+module": "esm",
	"text/javascript+module": "esm",
	"application/javascript": "commonjs",
	"text/javascript": "commonjs",
	"application/wasm": "wasm",
	"application/octet-stream": "data",
	"text/plain": "text",
	"application/json": "json",
};
/** A thousand modules, their source maps, and what is said of them. */
const MOST_PARTS = 2100;
const SOURCE_MAP = "application/source-map";

/** A body as a form. Throws ControlError `invalid` for what is none. */
export async function readForm(req: HonoRequest): Promise<FormData> {
	const type = req.header("content-type") ?? "";
	const body = Buffer.from(await req.arrayBuffer());
	const [, quoted, plainly] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? [];
	refuseTooManyParts(body, `--${quoted ?? plainly ?? ""}`);
	try {
		return await new Response(body, { headers: { "content-type": type } }).formData();
	} catch (error) {
		throw new ControlError("invalid", `the body is no form of parts: ${(error as Error).message}`);
	}
}

/** Before they are taken apart, which nobody else could interrupt. */
function refuseTooManyParts(body: Buffer, boundary: string): void {
	let parts = 0;
	for (let at = body.indexOf(boundary); at >= 0; at = body.indexOf(boundary, at + boundary.length))
		if (++parts > MOST_PARTS) throw new ControlError("invalid", `a form may have ${MOST_PARTS} parts at most`);
}

/** What a form says of a version, as JSON in its part `metadata`. Throws ControlError `invalid`, below `where`. */
export async function readMetadata<T>(form: FormData, schema: z.ZodType<T>, where?: string): Promise<T> {
	const part = form.get("metadata");
	if (part === null) throw new ControlError("invalid", "the part metadata is missing");
	const text = typeof part === "string" ? part : await part.text();
	return checked(schema, parseBody(text, "the part metadata"), where);
}

/** The modules of a multipart upload: a part each. `script` is the field of a service worker's script. */
export async function readModules(form: FormData, script?: string): Promise<UploadedModule[]> {
	const modules: UploadedModule[] = [];
	for (const [name, part] of form) {
		if (name === "metadata" || typeof part === "string") continue;
		const module = await readModule(name, part, script);
		if (module !== null) modules.push(module);
	}
	return modules;
}

async function readModule(name: string, part: File, script: string | undefined): Promise<UploadedModule | null> {
	const media = part.type.split(";")[0].trim();
	if (media === SOURCE_MAP) return null;
	const type = TYPES[media];
	if (type === undefined)
		throw new ControlError("invalid", `the module ${name} has the type ${media}, which is none of a module`);
	// The field of a service worker is what `body_part` says; modules are known by their file's name.
	const path = name === script || part.name === "blob" ? name : part.name;
	return { path, type, content: new Uint8Array(await part.arrayBuffer()) };
}

/** The modules of an upload, in the form in which a function is built. */
export function toGivenFiles(main: string, modules: readonly UploadedModule[]): GivenFiles {
	const files: Record<string, Uint8Array> = {};
	const all = modules.map((module) => ({ ...module, path: plain(module.path) }));
	for (const module of all) {
		if (Object.hasOwn(files, fileOf(module))) throw new ControlError("invalid", `${module.path} was uploaded twice`);
		files[fileOf(module)] = contentOf(module);
	}
	const entry = all.find(({ path }) => path === plain(main));
	if (entry === undefined) throw new ControlError("invalid", `the main module ${main} is not among the modules`);
	return { main: fileOf(entry), files, bundled: true };
}

/** Without what stands before it in vain; paths that lead elsewhere are for the build to refuse. */
function plain(path: string): string {
	return path.replace(/^(?:\.\/)+/, "");
}

/** A name by which the build knows what it is: an import of `./a.md` finds `a.md.js`. */
function fileOf({ path, type }: UploadedModule): string {
	switch (type) {
		case "esm":
			return /\.[cm]?[jt]sx?$/.test(path) ? path : `${path}.js`;
		case "commonjs":
			return /\.c?js$/.test(path) ? path : `${path}.js`;
		case "wasm":
			return path.endsWith(".wasm") ? path : `${path}.wasm`;
		case "json":
			return path.endsWith(".json") ? path : `${path}.json`;
		case "text":
		case "data":
			return `${path}.js`;
	}
}

function contentOf({ type, content }: UploadedModule): Uint8Array {
	const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
	if (type === "text") return Buffer.from(`export default ${JSON.stringify(bytes.toString())};`);
	if (type === "data")
		return Buffer.from(`export default Uint8Array.fromBase64("${bytes.toString("base64")}").buffer;`);
	return content;
}
