import type { Artifact } from "../cache/artifact.ts";
import { FunctionError } from "../errors.ts";
import type { Image, VersionNumber } from "../isolates/protocol.ts";
import { Backoff } from "../limits/backoff.ts";
import type { Limits } from "../limits/limits.ts";
import { StackMapper } from "../observe/source-map.ts";

/** Gets a version's artifact: from disk, or built again where it is no longer whole there. */
export type LoadArtifact = () => Promise<Artifact>;

/** One immutable upload of a function. What is large of it stays on disk until somebody needs it. */
export class Version {
	/** Stands for it on the link. */
	readonly number: VersionNumber;
	readonly functionName: string;
	readonly owner: string;
	/** Names its content: the artifact's key, shortened. */
	readonly id: string;
	readonly limits: Limits;
	readonly #env: string;
	readonly #load: LoadArtifact | FunctionError;
	readonly backoff = new Backoff();
	/** What the last failed start told, for requests that come while it is left alone. */
	startFailure: FunctionError | null = null;
	#mapper: Promise<StackMapper> | null = null;

	/** `load` is an error where the version could not even be built: every request gets it. */
	constructor(
		number: VersionNumber,
		functionName: string,
		owner: string,
		id: string,
		limits: Limits,
		env: Record<string, unknown>,
		load: LoadArtifact | FunctionError,
	) {
		this.number = number;
		this.functionName = functionName;
		this.owner = owner;
		this.id = id;
		this.limits = limits;
		this.#env = JSON.stringify(env);
		this.#load = load;
	}

	/** Why the version cannot be run now, or `null`. */
	refusal(now: number): FunctionError | null {
		if (this.#load instanceof FunctionError) return this.#load;
		const wait = this.backoff.remaining(now);
		if (wait === 0 || this.startFailure === null) return null;
		const { code, message, functionStack } = this.startFailure;
		return new FunctionError(code, message, { stack: functionStack, retryAfter: wait / 1000 });
	}

	async #artifact(): Promise<Artifact> {
		if (this.#load instanceof FunctionError) throw this.#load;
		return this.#load();
	}

	get filename(): string {
		return `${this.functionName}.js`;
	}

	async image(): Promise<Image> {
		const { code, codeCache } = await this.#artifact();
		return {
			filename: this.filename,
			code,
			codeCache,
			env: this.#env,
			memoryMb: this.limits.memoryMb,
			startupCpuMs: this.limits.startupCpuMs,
		};
	}

	/** Maps stacks into the source. The source map is read when the first stack has to be mapped. */
	mapper(): Promise<StackMapper> {
		this.#mapper ??= this.#artifact().then(
			({ sourceMap }) => new StackMapper(this.filename, sourceMap),
			() => new StackMapper(this.filename, ""),
		);
		return this.#mapper;
	}

	/** Whether a line of the log has places in it that want mapping. */
	hasFrames(message: string): boolean {
		return message.includes(`${this.filename}:`);
	}
}
