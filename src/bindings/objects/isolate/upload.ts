import type { BindingNumber } from "../../../link/calls.ts";
import { encodeUtf8 } from "../../../prelude/encoding/bytes.ts";
import { Body } from "../../../prelude/fetch/body.ts";
import { asInterface, requireArguments, toDictionary, toUSVString } from "../../../prelude/interface.ts";
import { encodePart, type ObjectHead } from "../schema.ts";
import { ask } from "./call.ts";
import { R2Object, SECRET } from "./object.ts";
import { contentOf } from "./options.ts";

const MOST_PARTS = 10_000;

/** An object that comes in by parts: https://developers.cloudflare.com/r2/api/workers/workers-multipart-usage/ */
export class R2MultipartUpload {
	readonly key: string;
	readonly uploadId: string;
	readonly #binding: BindingNumber;

	constructor(secret?: unknown, binding?: BindingNumber, key?: string, uploadId?: string) {
		if (secret !== SECRET) throw new TypeError("Illegal constructor");
		this.#binding = binding as BindingNumber;
		this.key = key as string;
		this.uploadId = uploadId as string;
	}

	async uploadPart(partNumber: unknown, value: unknown): Promise<object> {
		requireArguments(arguments.length, 2, "R2MultipartUpload.uploadPart");
		const number = numberOf(partNumber);
		const { key, uploadId: upload } = this;
		const content = contentOf(value, "uploadPart");
		const { text } = await ask(this.#binding, "uploadPart", { op: "part", key, upload, number }, content);
		return { partNumber: number, etag: JSON.parse(text) as string };
	}

	async complete(uploadedParts: unknown): Promise<R2Object> {
		requireArguments(arguments.length, 1, "R2MultipartUpload.complete");
		let text = "";
		let count = 0;
		for (const part of uploadedParts as Iterable<unknown>) {
			if (++count > MOST_PARTS) throw new TypeError(`an upload has up to ${MOST_PARTS} parts`);
			const { partNumber, etag } = toDictionary(part, "R2MultipartUpload.complete");
			text += encodePart(numberOf(partNumber), toUSVString(etag));
		}
		const { key, uploadId: upload } = this;
		const parts = new Body(encodeUtf8(text), null);
		const call = await ask(this.#binding, "completeMultipartUpload", { op: "complete", key, upload }, parts);
		return new R2Object(SECRET, JSON.parse(call.text) as ObjectHead);
	}

	async abort(): Promise<undefined> {
		const { key, uploadId: upload } = this;
		await ask(this.#binding, "abortMultipartUpload", { op: "abort", key, upload });
		return undefined;
	}
}
asInterface(R2MultipartUpload, "R2MultipartUpload", { uploadPart: 2, complete: 1 });

function numberOf(given: unknown): number {
	const number = Math.trunc(Number(given));
	if (!(number >= 1 && number <= MOST_PARTS))
		throw new TypeError(`Part number must be between 1 and 10000 (inclusive). Actual value was: ${given as string}`);
	return number;
}
