import { z } from "zod";
import { bucketName } from "../../names.ts";
import type { TraceContext } from "../../observe/trace-context.ts";
import type { Bytes } from "../../units.ts";
import {
	type Answer,
	type Caller,
	type Content,
	decodedBy,
	type EdgeBinding,
	type OpenBinding,
	type Prepared,
} from "../binding.ts";
import type { EdgeServices } from "../edges.ts";
import { Bucket, refusalOfKey, refusalOfMetadata } from "./bucket.ts";
import { HASHES, HTTP_HEADERS, ObjectCode } from "./calls.ts";
import { decodeKeys, decodeParts, type ObjectsTold, type ObjectTold } from "./schema.ts";

const settings = z.strictObject({
	/** Which bucket of its tenant's; two bindings with the same one share its objects. */
	bucket: bucketName,
});
type Settings = z.output<typeof settings>;

/** https://developers.cloudflare.com/r2/platform/limits/ */
const MOST_KEYS = 1000;
const MOST_LISTED = 1000;
const MOST_PARTS = 10_000;
/** More bytes than so many keys, or parts, come to. */
const MOST_BESIDE: Bytes = 1.2 * 2 ** 20;

const time = z.number().int().nullable();
const etags = z.array(z.strictObject({ value: z.string(), isWeak: z.boolean() })).nullable();
const onlyIf = z
	.strictObject({
		etagMatches: etags,
		etagDoesNotMatch: etags,
		uploadedBefore: time,
		uploadedAfter: time,
		secondsGranularity: z.boolean(),
	})
	.nullable();
const bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const range = z
	.union([z.strictObject({ offset: bytes, length: bytes.nullable() }), z.strictObject({ suffix: bytes })])
	.nullable();
const texts = z.array(z.string().refine((text) => text.isWellFormed()));
const pairs = texts.refine(({ length }) => length % 2 === 0);
/** The headers that an object has: what a function says is given to others as such. */
const http = pairs.refine((list) =>
	list.every((text, i) => {
		if (i % 2 === 0) return HTTP_HEADERS.includes(text);
		return list[i - 1] !== "expires" || Number.isSafeInteger(Number(text));
	}),
);
const metadata = z.strictObject({ http, custom: pairs, storageClass: z.string() });
const key = z.string();
const upload = z.string();
const asked = z.discriminatedUnion("op", [
	z.strictObject({ op: z.literal("head"), key }),
	z.strictObject({ op: z.literal("get"), key, onlyIf, range }),
	z.strictObject({
		...{ op: z.literal("put"), key, metadata, onlyIf },
		expected: z.strictObject({ hash: z.enum(HASHES), value: z.string().regex(/^[0-9a-f]{32,128}$/) }).nullable(),
	}),
	z.strictObject({ op: z.literal("delete") }),
	z.strictObject({
		...{ op: z.literal("list"), prefix: z.string(), cursor: z.string(), startAfter: z.string(), delimiter: z.string() },
		...{ limit: z.number().int(), http: z.boolean(), custom: z.boolean() },
	}),
	z.strictObject({ op: z.literal("begin"), key, metadata }),
	z.strictObject({ op: z.literal("part"), key, upload, number: z.number().int().min(1).max(MOST_PARTS) }),
	z.strictObject({ op: z.literal("complete"), key, upload }),
	z.strictObject({ op: z.literal("abort"), key, upload }),
]);
type Asked = z.output<typeof asked>;

/** Objects of any size that last: https://developers.cloudflare.com/r2/api/workers/workers-api-reference/ */
class ObjectsBinding implements EdgeBinding<Settings> {
	readonly settings = settings;
	readonly #services: EdgeServices;

	constructor(services: EdgeServices) {
		this.#services = services;
	}

	open({ bucket }: Settings, caller: Caller): OpenBinding {
		const { data, storedBytes, storage } = this.#services;
		const { tenant } = caller.function;
		/** As of now: rules may change while a request is at work. */
		const opened = (trace: TraceContext) =>
			new Bucket(data, { tenant, bucket }, storedBytes, storage.tellingOf(caller, { bucket }, trace));
		return {
			prepare(argument): Prepared | string | null {
				const call = decodedBy(asked, argument);
				if (call === null) return null;
				const refused = refusalOf(call);
				if (refused !== null) return refused;
				const target = `the bucket ${bucket}`;
				const { op: operation } = call;
				return {
					target,
					operation,
					perform: (content, signal, trace) => perform(opened(trace), call, content, signal),
				};
			},
		};
	}
}

/** Why something is not even begun, or `null`. */
function refusalOf(call: Asked): string | null {
	if ("key" in call) {
		const refused = refusalOfKey(call.key);
		if (refused !== null) return refused;
	}
	if ("metadata" in call) return refusalOfMetadata(call.metadata);
	if (call.op === "list" && (call.limit < 1 || call.limit > MOST_LISTED))
		return `400 ${ObjectCode.invalidLimit} MaxKeys params must be positive integer <= 1000.`;
	return null;
}

async function perform(bucket: Bucket, call: Asked, content: Content, signal: AbortSignal): Promise<Answer> {
	switch (call.op) {
		case "head":
			return answer(await bucket.head(call.key));
		case "get": {
			const found = await bucket.get(call.key, call, signal);
			if (found === null) return answer(null);
			const { head, range } = found;
			return { ...answer({ head, range } satisfies ObjectTold), content: found.content, isStored: true };
		}
		case "put":
			return answer(await bucket.put(call.key, call, content, signal));
		case "delete": {
			const keys = decodeKeys(await textOf(content), MOST_KEYS);
			if (keys === null)
				throw new Error(`400 ${ObjectCode.invalidArgument} up to ${MOST_KEYS} keys may be deleted at a time`);
			for (const one of keys) {
				const refused = refusalOfKey(one);
				if (refused !== null) throw new Error(refused);
			}
			await bucket.delete(keys);
			return answer(null);
		}
		case "list":
			return answer((await bucket.list(call)) satisfies ObjectsTold);
		case "begin":
			return answer(await bucket.beginUpload(call.key, call.metadata));
		case "part":
			return answer(await bucket.putPart(call.key, call, content, signal));
		case "complete": {
			const parts = decodeParts(await textOf(content), MOST_PARTS);
			if (parts === null) throw new Error(`400 ${ObjectCode.invalidArgument} the parts make no sense`);
			return answer(await bucket.complete(call.key, call.upload, parts));
		}
		case "abort":
			await bucket.abort(call.key, call.upload);
			return answer(null);
	}
}

const answer = (told: unknown): Answer => ({ text: JSON.stringify(told), content: null });

/** What comes beside a call, which is no larger than it may be. */
async function textOf(content: Content): Promise<string> {
	const parts: Uint8Array[] = [];
	let size = 0;
	for await (const part of content instanceof Uint8Array ? [content] : (content ?? [])) {
		size += part.byteLength;
		if (size > MOST_BESIDE) throw new Error(`413 ${ObjectCode.tooLarge} too much is asked for at a time`);
		parts.push(part);
	}
	return Buffer.concat(parts).toString();
}

export const create = (services: EdgeServices): EdgeBinding<Settings> => new ObjectsBinding(services);
