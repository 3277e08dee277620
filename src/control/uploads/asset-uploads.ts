import { createHmac } from "node:crypto";
import { sign, verify } from "hono/jwt";
import { z } from "zod";
import { type Asset, type Manifest, MOST_FILE_BYTES, MOST_FILES, uploadsOf } from "../../assets/asset-config.ts";
import { assetHash } from "../../assets/asset-hash.ts";
import { compressed } from "../../assets/compression.ts";
import { type FunctionId, functionOfKey, keyOf } from "../../names.ts";
import type { Seconds } from "../../units.ts";
import { ControlError } from "../control-error.ts";
import type { Sealer } from "../secrets.ts";
import { type Change, retried, type Store } from "../store/store.ts";
import type { Uploads } from "./uploads.ts";

/** So many files are asked for at once, and so many bytes but for a file that is larger alone. */
const BUCKET_FILES = 200;
const BUCKET_BYTES = 20 * 2 ** 20;
const SESSION: Seconds = 3600;

const HASH = /^[0-9a-f]{1,64}$/i;
/** Of atoll's own clients, which can be checked: wrangler's are shorter. */
const OWN_HASH = /^[0-9a-f]{64}$/i;
const PATH = /^\/(?!.{1000})[^\0]*$/s;

export const manifestSchema = z.record(
	z.string().regex(PATH),
	z.looseObject({
		hash: z.string().regex(HASH),
		size: z
			.number()
			.int()
			.min(0)
			.max(MOST_FILE_BYTES, `may be ${MOST_FILE_BYTES / 2 ** 20} MB at most`),
	}),
	{ error: ({ code }) => (code === "invalid_key" ? "must be a path like /index.html" : undefined) },
);
type GivenManifest = z.infer<typeof manifestSchema>;

/** What an upload's session knows, in its token. */
const claims = z.looseObject({ function: z.string(), manifest: z.string(), done: z.boolean() });

/** A file as it was sent. */
export interface SentFile {
	hash: string;
	bytes: Buffer;
	/** Empty for none. */
	type: string;
}

/** The files of a form: a part each, whose name is the file's hash, and whose type `application/null` says that it has none. */
export async function filesIn(form: FormData, encoding: "base64" | "binary"): Promise<SentFile[]> {
	const files: SentFile[] = [];
	for (const [hash, part] of form) {
		if (typeof part === "string" && encoding === "binary") continue;
		const type = typeof part === "string" || part.type === "application/null" ? "" : part.type;
		const sent = typeof part === "string" ? Buffer.from(part) : Buffer.from(await part.arrayBuffer());
		files.push({ hash, bytes: encoding === "base64" ? Buffer.from(sent.toString(), "base64") : sent, type });
	}
	return files;
}

/** A session that has begun: what is still to come, and the token for it. */
export interface AssetSession {
	jwt: string;
	/** The hashes of files that are not here yet. */
	buckets: string[][];
}

/** Takes in the files of sites: a client says which it has, and sends those that are not here yet. */
export class AssetUploads {
	readonly #store: Store;
	readonly #uploads: Uploads;
	readonly #key: string;

	constructor(store: Store, uploads: Uploads, sealer: Sealer) {
		this.#store = store;
		this.#uploads = uploads;
		this.#key = createHmac("sha256", sealer.derive("asset uploads")).digest("hex");
	}

	/** Begins a session for all files that a version is to have. */
	async begin(id: FunctionId, manifest: GivenManifest): Promise<AssetSession> {
		if (Object.keys(manifest).length > MOST_FILES)
			throw new ControlError("invalid", `a function may have ${MOST_FILES} files at most`);
		const missing = await this.#missing(id, manifest);
		const kept = await this.#uploads.save(Buffer.from(JSON.stringify(manifest)));
		return { jwt: await this.#token(id, kept, missing.length === 0), buckets: inBuckets(missing, manifest) };
	}

	async #missing(id: FunctionId, manifest: GivenManifest): Promise<string[]> {
		const hashes = [...new Set(Object.values(manifest).map(({ hash }) => hash))];
		const there = await Promise.all(hashes.map((hash) => this.#store.get("asset", `${keyOf(id)}/${hash}`)));
		return hashes.filter((_, i) => there[i] === null);
	}

	#token(id: FunctionId, manifest: string, done: boolean): Promise<string> {
		const exp = Math.floor(Date.now() / 1000) + SESSION;
		return sign({ function: keyOf(id), manifest, done, exp }, this.#key, "HS256");
	}

	async #claims(jwt: string): Promise<z.infer<typeof claims>> {
		try {
			return claims.parse(await verify(jwt, this.#key, "HS256"));
		} catch {
			throw new ControlError("unauthorized", "the token of the upload's session is none, or it is over: begin it anew");
		}
	}

	/** The key of the function whose files a session is for. Throws ControlError for a token that is none. */
	async session(jwt: string): Promise<string> {
		return (await this.#claims(jwt)).function;
	}

	/**
	 * Takes files in, each under its hash. Resolves with a token by which a version gets them all once none is missing,
	 * and with `null` before.
	 */
	async receive(jwt: string, given: readonly SentFile[]): Promise<string | null> {
		const { function: key, manifest } = await this.#claims(jwt);
		const id = functionOfKey(key);
		const files = await this.#manifest(manifest);
		const wanted = new Set(Object.values(files).map(({ hash }) => hash));
		const taken = new Map<string, Asset>();
		for (const { hash, bytes, type } of given) {
			if (!wanted.has(hash)) throw new ControlError("invalid", `the file ${hash} is not in the manifest`);
			if (bytes.length > MOST_FILE_BYTES) throw new ControlError("too_large", "a file is larger than 25 MB");
			if (OWN_HASH.test(hash) && hash !== assetHash(type, bytes))
				throw new ControlError("invalid", `the file ${hash} has other bytes than its hash says: begin anew`);
			taken.set(hash, await this.#kept(bytes, type));
		}
		// Others may send some of the same at the same time.
		await retried(async () => {
			const changes: Change[] = [];
			for (const [hash, value] of taken) {
				const own = `${keyOf(id)}/${hash}`;
				const before = await this.#store.get("asset", own);
				changes.push({ kind: "asset", key: own, value, expected: before?.revision ?? 0 });
			}
			await this.#store.commit({ actor: "upload", action: "assets.upload", target: key }, changes);
		});
		const missing = await this.#missing(id, files);
		return missing.length === 0 ? this.#token(id, manifest, true) : null;
	}

	async #kept(bytes: Buffer, type: string): Promise<Asset> {
		const asset = { upload: await this.#uploads.save(bytes), size: bytes.length, type };
		const brotli = await compressed(bytes, type);
		if (brotli === null) return asset;
		return { ...asset, brotli: { upload: await this.#uploads.save(brotli), size: brotli.length } };
	}

	async #manifest(name: string): Promise<GivenManifest> {
		return JSON.parse((await this.#uploads.read(name)).toString()) as GivenManifest;
	}

	/** The name of the manifest that a version of a function gets by a session's last token. */
	async complete(id: FunctionId, jwt: string): Promise<string> {
		const { function: key, manifest, done } = await this.#claims(jwt);
		if (key !== keyOf(id)) throw new ControlError("invalid", "the files were uploaded for another function");
		if (!done) throw new ControlError("invalid", "not all files have been uploaded");
		const whole: Manifest = {};
		for (const [path, { hash }] of Object.entries(await this.#manifest(manifest))) {
			const entry = await this.#store.get("asset", `${keyOf(id)}/${hash}`);
			if (entry === null) throw new ControlError("invalid", `the file ${path} is gone: upload it anew`);
			whole[path] = entry.value;
		}
		// No version has them yet: a sweep is not to take them for what is left over.
		const used = new Set(Object.values(whole).flatMap(uploadsOf));
		await Promise.all([...used].map((upload) => this.#uploads.use(upload)));
		return this.#uploads.save(Buffer.from(JSON.stringify(whole)));
	}
}

/** Hashes of files, so many together as may come in one request. */
function inBuckets(hashes: readonly string[], manifest: GivenManifest): string[][] {
	const sizes = new Map(Object.values(manifest).map(({ hash, size }) => [hash, size]));
	const buckets: string[][] = [];
	let bytes = 0;
	for (const hash of hashes) {
		const size = sizes.get(hash) ?? 0;
		const last = buckets.at(-1);
		if (last === undefined || last.length === BUCKET_FILES || bytes + size > BUCKET_BYTES) {
			buckets.push([hash]);
			bytes = size;
		} else {
			last.push(hash);
			bytes += size;
		}
	}
	return buckets;
}
