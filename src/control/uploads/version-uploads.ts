import { createHash, randomUUID } from "node:crypto";
import type { SiteSource } from "../../assets/asset-config.ts";
import type { GivenBindings } from "../../bindings/binding.ts";
import type { Bindings } from "../../bindings/edges.ts";
import { decodeFiles, encodeFiles, type GivenFiles } from "../../build/given-files.ts";
import { BuildError } from "../../build/problem.ts";
import { checkUpload } from "../../config/deployment.ts";
import type { Version } from "../../deployments/version.ts";
import type { Built, Upload, VersionBuilder } from "../../deployments/version-builder.ts";
import { UsageError } from "../../errors.ts";
import type { Limits } from "../../limits/limits.ts";
import type { StartResult } from "../../link/build-frames.ts";
import { type FunctionId, keyOf } from "../../names.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { checkEnvironment } from "../catalog/environment-checks.ts";
import type { Keeping } from "../catalog/keeping.ts";
import { queuesIn } from "../catalog/queue-policy.ts";
import { ControlError } from "../control-error.ts";
import type { FunctionDocument, VersionDocument } from "../store/documents.ts";
import type { Change } from "../store/store.ts";
import { toGivenFiles, type UploadedModule } from "./module-files.ts";
import type { Uploads } from "./uploads.ts";

/** A version as somebody uploads it. */
export interface VersionUpload {
	main: string;
	modules: readonly UploadedModule[];
	variables: Record<string, unknown>;
	bindings: GivenBindings;
	/** The name under which it finds its own id, tag and time in `env`; empty for none. */
	metadataBinding: string;
	/** The files that it has, and the name under which it finds them in `env`. */
	site: SiteSource | null;
	assetsBinding: string;
	limits: Partial<Limits>;
	compatibilityDate: string;
	compatibilityFlags: readonly string[];
	message: string;
	tag: string;
	/** What it was uploaded with. */
	source: string;
}

/** What a version is started with. */
type Started = Pick<VersionUpload, "variables" | "bindings" | "metadataBinding" | "site" | "assetsBinding"> &
	Partial<Pick<VersionDocument, "id" | "tag" | "created">>;

/** What builds and keeps versions. */
export interface VersionUploadsParts {
	catalog: Catalog;
	keeping: Keeping;
	uploads: Uploads;
	/** Started when there is something to build. */
	builder: () => Promise<VersionBuilder>;
	/** By which what is said of bindings is checked. */
	bindings: () => Promise<Bindings>;
	/** Tells artifacts that it makes from others. */
	toolchain: string;
}

/** Makes versions of what is uploaded: each is built, and started once, before it is one. */
export class VersionUploads {
	readonly #catalog: Catalog;
	readonly #keeping: Keeping;
	readonly #uploads: Uploads;
	readonly #builder: () => Promise<VersionBuilder>;
	readonly #bindings: () => Promise<Bindings>;
	readonly #toolchain: string;

	constructor({ catalog, keeping, uploads, builder, bindings, toolchain }: VersionUploadsParts) {
		this.#catalog = catalog;
		this.#keeping = keeping;
		this.#uploads = uploads;
		this.#builder = builder;
		this.#bindings = bindings;
		this.#toolchain = toolchain;
	}

	/** Throws ControlError for what a version cannot have in its environment. */
	async check(given: VersionUpload): Promise<void> {
		checkEnvironment(await this.#bindings(), given);
	}

	/**
	 * Builds a version, starts it once, and keeps it. The same upload twice is the same version. Throws ControlError:
	 * `does_not_build` and `does_not_start` with all that is wrong; nothing has changed then.
	 */
	async upload(actor: string, id: FunctionId, given: VersionUpload): Promise<VersionDocument> {
		await this.check(given);
		const files = {
			...toGivenFiles(given.main, given.modules),
			nodeGlobals: given.compatibilityFlags.includes("nodejs_compat"),
		};
		const hash = hashOf(files, given);
		const before = await this.#catalog.store.get("function", keyOf(id));
		const same = before === null ? undefined : (await this.#catalog.versions(id)).find((one) => one.hash === hash);
		if (same !== undefined) return same;
		// On disk meanwhile: what comes to nothing is swept.
		const saving = this.#uploads.save(encodeFiles(files));
		saving.catch(() => undefined);
		const { version, limits, saved } = await this.#build(id, files, given.limits);
		const { handlers, startUs } = await this.#start(id, version, given, before?.value ?? null);
		await saved;
		const { variables, bindings, metadataBinding, site, assetsBinding, compatibilityDate, compatibilityFlags } = given;
		const { message, tag, source } = given;
		const made: Omit<VersionDocument, "number"> = {
			id: randomUUID(),
			...id,
			hash,
			upload: await saving,
			artifact: keyOfArtifact(version),
			toolchain: this.#toolchain,
			size: given.modules.reduce((sum, { content }) => sum + content.byteLength, 0),
			limits,
			variables,
			bindings,
			metadataBinding,
			site,
			assetsBinding,
			compatibilityDate,
			compatibilityFlags: [...compatibilityFlags],
			handlers,
			startUs,
			message,
			tag,
			author: actor,
			source,
			created: new Date().toISOString(),
		};
		let kept: VersionDocument = { ...made, number: 0 };
		const change = async (one: FunctionDocument) => {
			kept = { ...made, number: one.nextNumber };
			const key = `${keyOf(id)}/${kept.id}`;
			const beside: Change[] = [
				{ kind: "version", key, value: kept, expected: 0 },
				...(await this.#keeping.outdated(one, { version: true })),
				...(await this.#catalog.queues.introduce(id.tenant, queuesIn(bindings))),
			];
			return { value: { ...one, nextNumber: one.nextNumber + 1 }, beside };
		};
		await this.#catalog.change({ actor, action: "version.upload" }, id, change, { create: true });
		return kept;
	}

	/**
	 * Has the artifact of a version on disk that is not there, or that another toolchain made. Rejects where that cannot
	 * be.
	 */
	async remake(id: FunctionId, which: string): Promise<void> {
		const files = await this.#filesOf(await this.#catalog.version(id, which));
		const { version, saved } = await this.#build(id, files, {});
		await saved;
		const artifact = keyOfArtifact(version);
		const change = async (one: FunctionDocument) => {
			const key = `${keyOf(id)}/${which}`;
			const entry = await this.#catalog.store.get("version", key);
			if (entry === null) throw new ControlError("not_found", `${id.name} has no version ${which}`);
			const value = { ...entry.value, artifact, toolchain: this.#toolchain };
			const beside: Change[] = [{ kind: "version", key, value, expected: entry.revision }];
			return { value: { ...one }, beside };
		};
		await this.#catalog.change({ actor: "system", action: "version.remake" }, id, change);
	}

	/** Whether a version's artifact is one that this toolchain has made. */
	isCurrent({ toolchain }: VersionDocument): boolean {
		return toolchain === this.#toolchain;
	}

	/** Tries whether a version starts with its function's environment. Throws ControlError `does_not_start`. */
	async tryStart(one: FunctionDocument, version: VersionDocument): Promise<StartResult> {
		const built = this.isCurrent(version)
			? await this.#built(one, version)
			: (await this.#build(one, await this.#filesOf(version), version.limits)).version;
		return this.#start(one, built, version, one);
	}

	async #filesOf({ upload }: VersionDocument): Promise<GivenFiles> {
		return decodeFiles(await this.#uploads.read(upload));
	}

	async #built(id: FunctionId, { limits, artifact }: VersionDocument): Promise<Version> {
		const builder = await this.#builder();
		try {
			return builder.built(id, limits, artifact);
		} catch (error) {
			throw toControlError(error);
		}
	}

	async #build(
		id: FunctionId,
		files: GivenFiles,
		given: Partial<Limits>,
	): Promise<Pick<Built, "version" | "saved"> & { limits: Limits }> {
		try {
			const builder = await this.#builder();
			const upload = uploadOf(builder, id, files, given);
			const { version, saved } = await builder.build(upload);
			return { version, saved, limits: upload.limits };
		} catch (error) {
			throw toControlError(error);
		}
	}

	async #start(id: FunctionId, version: Version, started: Started, one: FunctionDocument | null): Promise<StartResult> {
		const bindings = bindingsOf(started);
		const all = one === null ? started.variables : this.#catalog.environmentOf(one, started);
		const bound = Object.entries(bindings).map(([name, { type, ...settings }]) => ({ name, type, settings }));
		if (!("tryStart" in version.source)) throw version.source;
		try {
			const result = await version.source.tryStart({ variables: JSON.stringify(all), bindings: bound });
			if (result.failure === null) return result;
			const { message, stack } = result.failure;
			throw new ControlError("does_not_start", `${id.name} does not start: ${message}${stack && `\n${stack}`}`);
		} catch (error) {
			if (!(error instanceof BuildError)) throw error;
			throw new ControlError("does_not_start", error.message);
		}
	}
}

/** What a version finds in `env` beside its variables. */
export function bindingsOf({
	bindings,
	site,
	assetsBinding,
}: Pick<VersionUpload, "bindings" | "site" | "assetsBinding">) {
	if (site === null || assetsBinding === "") return bindings;
	const { manifest, config } = site;
	return { ...bindings, [assetsBinding]: { type: "assets", manifest, config } };
}

/** What is wrong with a source, or with limits that the server's ceilings have come to forbid. */
function toControlError(error: unknown): unknown {
	if (error instanceof BuildError) return new ControlError("does_not_build", error.message);
	if (error instanceof UsageError) return new ControlError("invalid", error.message);
	return error;
}

function uploadOf(
	builder: VersionBuilder,
	{ tenant, name }: FunctionId,
	{ main, files, ...rest }: GivenFiles,
	limits: Partial<Limits>,
): Upload {
	const upload = builder.upload(checkUpload({ tenant, name, main, files: { ...files }, limits }));
	return { ...upload, source: { main, files, ...rest } };
}

function keyOfArtifact({ source }: Version): string {
	if ("key" in source) return source.key;
	throw source;
}

/** Over all that makes a version what it is. What was said about it is no part of that, but a tag that it can read. */
function hashOf(files: GivenFiles, given: VersionUpload): string {
	const { variables, bindings, metadataBinding, site, assetsBinding, limits, tag } = given;
	const { compatibilityDate, compatibilityFlags } = given;
	const metadata = metadataBinding === "" ? "" : [metadataBinding, tag];
	const bound = [variables, bindings, metadata, site, assetsBinding];
	const settings = [...bound, limits, compatibilityDate, compatibilityFlags];
	const hash = createHash("sha256").update(JSON.stringify([files.main, ...settings]));
	for (const [path, content] of Object.entries(files.files).sort(([a], [b]) => (a < b ? -1 : 1)))
		hash.update(`\0${path}\0${Buffer.byteLength(content)}\0`).update(content);
	return hash.digest("hex");
}
