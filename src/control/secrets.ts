import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.ts";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FILE = "secrets.key";

/**
 * Encrypts functions' secrets with AES-256-GCM (https://csrc.nist.gov/pubs/sp/800/38/d/final) under a key that lies
 * beside the database and not in it. Where a secret belongs is authenticated with it, so that none can be moved to
 * another function.
 */
export class Sealer {
	readonly #key: Buffer;

	private constructor(key: Buffer) {
		this.#key = key;
	}

	/**
	 * The key of a data folder, made where it is missing: 64 hexadecimal digits in `secrets.key`, or what the
	 * environment gives as `ATOLL_SECRETS_KEY`. Throws UsageError for what is no key.
	 */
	static open(data: string, given = process.env.ATOLL_SECRETS_KEY): Sealer {
		const path = join(data, FILE);
		const text = given ?? readOrMake(path);
		if (!/^[0-9a-f]{64}\s*$/i.test(text))
			throw new UsageError(
				`the key for secrets in ${given === undefined ? path : "ATOLL_SECRETS_KEY"} must be 64 hexadecimal digits`,
				"data_unusable",
			);
		return new Sealer(Buffer.from(text.trim(), "hex"));
	}

	/** A key of its own for something else, which tells nothing of this one. */
	derive(purpose: string): Buffer {
		return Buffer.from(hkdfSync("sha256", this.#key, "", purpose, KEY_BYTES));
	}

	/** `place` says what it is, as `default/shop/API_KEY`. */
	seal(text: string, place: string): string {
		const nonce = randomBytes(NONCE_BYTES);
		const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(place));
		const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
		return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64");
	}

	/** Throws UsageError where it was sealed with another key, or for another place. */
	unseal(sealed: string, place: string): string {
		const bytes = Buffer.from(sealed, "base64");
		const nonce = bytes.subarray(0, NONCE_BYTES);
		const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
		const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(place)).setAuthTag(tag);
		try {
			return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, "utf8") + decipher.final("utf8");
		} catch {
			throw new UsageError(
				`the secret ${place} was encrypted with another key than the one in ${FILE}: restore that, or set the secret again`,
				"data_unusable",
			);
		}
	}
}

/** It is there as a whole, or not at all. */
function make(path: string): void {
	const draft = `${path}.${randomBytes(6).toString("hex")}`;
	try {
		const file = openSync(draft, "wx", 0o600);
		writeSync(file, `${randomBytes(KEY_BYTES).toString("hex")}\n`);
		fsyncSync(file);
		closeSync(file);
		linkSync(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	} finally {
		rmSync(draft, { force: true });
	}
}

/** Whoever comes first makes it, and it is on the disk before anything is encrypted with it. */
function readOrMake(path: string): string {
	try {
		if (!existsSync(path)) make(path);
		return readFileSync(path, "utf8");
	} catch (error) {
		throw new UsageError(`the key for secrets cannot be used: ${(error as Error).message}`, "data_unusable");
	}
}
