import { z } from "zod";
import { type AssetsSettings, assetsSchema, NO_FUNCTION, problemOfSiteAlone } from "../assets/asset-config.ts";
import { bindingsSchema, type GivenBindings } from "../bindings/binding.ts";
import { type Limits, limitsSchema } from "../limits/limits.ts";
import type { FunctionId, FunctionName, TenantName } from "../names.ts";
import { type GivenTriggers, type Triggers, triggersSchema } from "../triggers/trigger-settings.ts";
import type { Bytes } from "../units.ts";
import { check } from "./check.ts";
import { functionId } from "./function-target.ts";

/** One upload of a function. */
export interface DeployOptions {
	/**
	 * Whose function it is: lower-case letters, digits, `-` and `_`, up to 63. Names and hostnames belong to a tenant;
	 * what its functions do counts together; within the process they reach one another, and no other tenant's.
	 * Default: `default`, the operator's own, each of whose functions counts for itself.
	 */
	tenant?: TenantName;
	/**
	 * The function's name: letters, digits, `-`, `_` and `.`, up to 63. Its tenant's function of this name, if
	 * deployed, is replaced.
	 */
	name: FunctionName;
	/**
	 * The hostnames that reach it: exact names, `*.example.com`, or, for the tenant `default` alone, `*` for all
	 * others. Those that another tenant has, or that lie under its wildcards, are refused, and so are public suffixes
	 * such as `*.com`.
	 */
	hostnames: string[];
	/**
	 * Path of its main module, relative to the working directory. One of `entry`, `source` and `files` says what it
	 * is; with `assets` there may be none.
	 */
	entry?: string;
	/** The text of its one module, in TypeScript or JavaScript; for JSX see `files`. */
	source?: string;
	/**
	 * Its modules and what they import beside npm packages, by paths like `lib/a.ts`: relative, with slashes, and
	 * without
	 * `.` and `..`. They may import one another, and nothing else of the machine's files.
	 */
	files?: Record<string, string | Uint8Array>;
	/** Which of `files` is the main module. */
	main?: string;
	/**
	 * The folder that it may be bundled from: an import of a file that is neither there nor in a package above it is
	 * refused. For code that others wrote, which could else import whatever file this process may read. Paths in
	 * messages about the function and in its stacks are relative to it. Default: not bounded, and paths are relative to
	 * the working directory.
	 */
	root?: string;
	/** The variables that the handler gets as `env`; anything that JSON can hold. Default: empty. */
	env?: Record<string, unknown>;
	/**
	 * What else it gets there, by its name: capabilities that the edge performs for it, such as
	 * `{ API: { type: "service", function: "api" } }`. docs/bindings.md has those that there are. Default: none.
	 */
	bindings?: GivenBindings;
	/**
	 * Files that are served beside it, or alone where there is no function. They are those that the folder has when it
	 * is deployed: what changes in it is served by deploying again. Default: none.
	 */
	assets?: AssetsOptions;
	/** Limits that differ from the runtime's. */
	limits?: Partial<Limits>;
	/**
	 * What calls it beside requests: times, for its `scheduled` handler, queues, for its `queue` handler, and changes of
	 * what is stored, for its `storage` handler. They are looked after by this process for as long as the runtime is not
	 * closed. Default: nothing.
	 */
	triggers?: GivenTriggers;
}

/** A site: its keys are named and mean what they do for wrangler. */
export interface AssetsOptions {
	/**
	 * The folder of its files, relative to the working directory. What its `.assetsignore` names is left out, and
	 * `_headers` and `_redirects` are rules. Up to 20,000 files of 25 MB each; no link may lead out of it, nor may it lie
	 * outside of `root`.
	 */
	directory: string;
	/** The name under which the function finds them: `env.ASSETS.fetch(request)`. Default: it does not. */
	binding?: string;
	/** At which of `/a`, `/a/` and `/a.html` a page answers; the others lead there. Default: `auto-trailing-slash`. */
	html_handling?: "auto-trailing-slash" | "force-trailing-slash" | "drop-trailing-slash" | "none";
	/**
	 * What answers a browser's navigation, and all where there is no function, for a path without a file: the nearest
	 * `404.html`, or `/index.html`. Default: `none`.
	 */
	not_found_handling?: "none" | "404-page" | "single-page-application";
	/** Whether the function comes before the files: always, or for paths like `/api/*` and not `!/api/docs`. Default: no. */
	run_worker_first?: boolean | string[];
}

/** An upload without what its release needs. */
export type UploadOptions = Omit<DeployOptions, "hostnames" | "env" | "bindings" | "triggers">;

/** What a source that is given may hold: more than that no bundle can be made of. */
const MOST_FILES = 1000;
const MOST_GIVEN: Bytes = 32 * 2 ** 20;
const GIVEN_PATH = /^(?!.{1000})(?!.*(?:^|\/)(?:\.{1,2}|node_modules)(?:\/|$))[^/\\\0]+(?:\/[^/\\\0]+)*$/s;
const givenContent = z.union([z.string(), z.instanceof(Uint8Array)], "must be text or bytes");

const uploadShape = {
	...functionId.shape,
	entry: z.string().min(1).optional(),
	root: z.string().min(1).optional(),
	source: z.string().optional(),
	files: z.record(z.string(), givenContent).optional(),
	main: z.string().optional(),
	assets: assetsSchema.optional(),
	limits: limitsSchema.optional(),
};

/** What an upload says of its source, in one way of three; it comes out as a path, or as files that are given. */
const sourced = (shape: typeof uploadShape) =>
	z
		.strictObject(shape)
		.superRefine(({ entry, root, source, files, main, assets }, { addIssue }) => {
			const refuse = (path: string, message: string) => addIssue({ code: "custom", path: [path], message });
			const ways = [entry, source, files].filter((way) => way !== undefined).length;
			if (ways > 1 || (ways === 0 && assets === undefined))
				refuse("entry", "one of entry, source and files must say what the function is");
			const problem = ways === 0 && assets !== undefined ? problemOfSiteAlone(assets) : null;
			if (problem !== null) refuse("assets", problem);
			if (root !== undefined && entry === undefined && assets === undefined)
				refuse("root", "goes with entry alone, and with assets");
			if ((main === undefined) !== (files === undefined))
				refuse("main", "goes with files, and says which of them it is");
			if (files === undefined) return;
			if (main !== undefined && !Object.hasOwn(files, main)) refuse("main", "is none of the files");
			for (const path of Object.keys(files))
				if (!GIVEN_PATH.test(path))
					refuse("files", `${JSON.stringify(path)} must be a path like lib/a.ts, without . and ..`);
			const contents = Object.values(files);
			if (contents.length > MOST_FILES) refuse("files", `must be ${MOST_FILES} at most`);
			const bytes = contents.reduce((sum, content) => sum + Buffer.byteLength(content), 0);
			if (bytes > MOST_GIVEN) refuse("files", `must be ${MOST_GIVEN / 2 ** 20} MB at most`);
		})
		.transform(({ source, files, main, ...rest }) => ({
			...rest,
			given: givenOf({ source, files, main, entry: rest.entry }),
		}));

function givenOf({
	source,
	files,
	main,
	entry,
}: Pick<DeployOptions, "source" | "files" | "main" | "entry">): CheckedDeployment["given"] {
	if (source !== undefined) return { main: "index.ts", files: { "index.ts": source } };
	if (files !== undefined) return { main: main as string, files };
	// Files alone.
	return entry === undefined
		? { main: NO_FUNCTION.path, files: { [NO_FUNCTION.path]: NO_FUNCTION.source } }
		: undefined;
}

const uploadSchema = sourced(uploadShape);

const deployShape = {
	...uploadShape,
	hostnames: z.array(z.string()).min(1),
	env: z.record(z.string(), z.json()).optional(),
	bindings: bindingsSchema.optional(),
	triggers: triggersSchema.optional(),
};
const deploySchema = sourced(deployShape).refine(
	({ assets, ...rest }) => {
		const { env = {}, bindings = {} } = rest as Pick<DeployOptions, "env" | "bindings">;
		return assets?.binding === undefined || !Object.hasOwn({ ...env, ...bindings }, assets.binding);
	},
	{ path: ["assets", "binding"], message: "there is a variable or a binding of this name" },
);

/** A deployment whose tenant is named, and whose source lies at a path or was given. */
export type CheckedDeployment = Omit<DeployOptions, "source" | "files" | "main" | "assets" | "triggers"> &
	FunctionId & {
		triggers?: Triggers;
		given?: { main: string; files: Record<string, string | Uint8Array> } | undefined;
		assets?: AssetsSettings;
	};

export function checkDeployment(options: unknown): CheckedDeployment {
	return check<CheckedDeployment>(deploySchema, options, "deploy");
}

/** An upload likewise. */
export type CheckedUpload = Omit<CheckedDeployment, "hostnames" | "env" | "bindings" | "triggers">;

export function checkUpload(options: unknown): CheckedUpload {
	return check<CheckedUpload>(uploadSchema, options, "upload");
}
