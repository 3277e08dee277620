import { isAbsolute } from "node:path";
import enhancedResolve from "enhanced-resolve";
import type { Gate } from "./gate.ts";
import { hasSideEffects, manifestOf, readManifest } from "./manifest.ts";

const { ResolverFactory } = enhancedResolve;
type FileSystem = Parameters<typeof ResolverFactory.createResolver>[0]["fileSystem"];
type NodeResolver = ReturnType<typeof ResolverFactory.createResolver>;

export interface Import {
	specifier: string;
	/** The folder of the module that imports. */
	folder: string;
	/** By `require()`, and not by `import`. */
	required: boolean;
}

/** What an import looks for. */
interface Kind {
	required: boolean;
	/** A package's module, or an import by one. */
	ofPackage: boolean;
}

/** What an import leads to. */
export type Resolution =
	| {
			kind: "file";
			path: string;
			sideEffects: boolean /** Its package says that it is a module of JavaScript, whatever its name. */;
			isModule: boolean;
	  }
	/** Its package has no use for it here. */
	| { kind: "disabled"; specifier: string }
	| { kind: "missing" }
	| { kind: "refused"; why: string };

const CONDITIONS = ["workerd", "worker", "edge-light", "module", "browser"];
const EXTENSIONS = [".tsx", ".ts", ".jsx", ".js", ".css", ".json"];
/** In packages what was compiled comes before what it was compiled from. */
const PACKAGE_EXTENSIONS = [".jsx", ".js", ".tsx", ".ts", ".css", ".json"];
/** TypeScript names modules by what they are compiled to. */
const COMPILED = {
	".js": [".js", ".ts", ".tsx"],
	".jsx": [".jsx", ".tsx"],
	".mjs": [".mjs", ".mts"],
	".cjs": [".cjs", ".cts"],
};

export const isInPackage = (folder: string) => /[\\/]node_modules(?:[\\/]|$)/.test(folder);
/** Whether an import names a package, or what stands for one, and no place. */
export const isName = (specifier: string) => !/^(?:\.\.?(?:\/|$)|\/|#|file:)/.test(specifier);

/** Finds the files that imports lead to, in what the gate shows. */
export class Resolver {
	readonly #gate: Gate;
	readonly #resolvers = new Map<string, NodeResolver>();
	/** Why something that was come upon on the way is not to be had. */
	#refusal: string | null = null;

	constructor(gate: Gate) {
		this.#gate = gate;
	}

	resolve({ specifier, folder, required }: Import): Resolution {
		const ofPackage = isInPackage(folder) || isName(specifier);
		this.#refusal = null;
		// A file by its whole name, which no package could have lead elsewhere.
		if (isAbsolute(specifier) && this.#isOfNoPackage(specifier)) return this.#file(specifier);
		let found = this.#find(specifier, folder, { required, ofPackage });
		// A package that has only what is to be imported gives that.
		if (found === undefined && required) found = this.#find(specifier, folder, { required: false, ofPackage });
		if (found === false) return { kind: "disabled", specifier };
		if (found !== undefined) return this.#file(found);
		return this.#refusal === null ? { kind: "missing" } : { kind: "refused", why: this.#refusal };
	}

	#isOfNoPackage(path: string): boolean {
		return this.#gate.locate(path).kind === "file" && manifestOf(this.#gate, path) === null;
	}

	#find(specifier: string, folder: string, { required, ofPackage }: Kind): string | false | undefined {
		let found: string | false | undefined;
		try {
			this.#resolver({ required, ofPackage }).resolve({}, folder, specifier, {}, (_, __, request) => {
				found = request === undefined ? undefined : request.path;
			});
		} catch {
			// A package.json that makes no sense to the resolver leads nowhere.
		}
		return found;
	}

	#file(found: string): Resolution {
		const place = this.#gate.locate(found);
		if (place.kind !== "file") return { kind: "missing" };
		const { path } = place;
		const tenant = manifestOf(this.#gate, path);
		return {
			kind: "file",
			path,
			sideEffects: tenant === null || hasSideEffects(tenant, path),
			isModule: tenant?.manifest.type === "module" && /\.[jt]sx?$/.test(path),
		};
	}

	#resolver({ required, ofPackage }: Kind): NodeResolver {
		const key = `${required} ${ofPackage}`;
		let resolver = this.#resolvers.get(key);
		if (resolver === undefined) {
			resolver = ResolverFactory.createResolver({
				fileSystem: this.#fileSystem(),
				useSyncFileSystemCalls: true,
				conditionNames: [...CONDITIONS, required ? "require" : "import"],
				// What is required is mostly called, which a module's namespace cannot be.
				mainFields: required ? ["browser", "main", "module"] : ["browser", "module", "main"],
				aliasFields: ["browser"],
				extensions: ofPackage ? PACKAGE_EXTENSIONS : EXTENSIONS,
				extensionAlias: ofPackage ? {} : COMPILED,
				// The gate follows links itself.
				symlinks: false,
				pnpApi: null,
			});
			this.#resolvers.set(key, resolver);
		}
		return resolver;
	}

	/** All that the resolver can see. */
	#fileSystem(): FileSystem {
		const none = (path: unknown) => Object.assign(new Error(`there is no ${String(path)}`), { code: "ENOENT" });
		const statSync = (path: string) => {
			const place = this.#gate.locate(path);
			if (place.kind === "file" || place.kind === "folder")
				return { isFile: () => place.kind === "file", isDirectory: () => place.kind === "folder" };
			// Packages are looked for all the way up.
			if (place.kind === "outside" && (place.byLink || !isInPackage(path))) this.#refusal = this.#gate.outside;
			if (place.kind === "special") this.#refusal = "is no regular file";
			throw none(path);
		};
		const readJsonSync = (path: string) => {
			const manifest = readManifest(this.#gate, path);
			if (manifest === null) throw none(path);
			return manifest;
		};
		const refuse = (path: string) => {
			throw none(path);
		};
		return {
			statSync,
			readJsonSync,
			readFileSync: refuse,
			readdirSync: refuse,
			readlinkSync: refuse,
		} as unknown as FileSystem;
	}
}
