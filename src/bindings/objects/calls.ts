import type { StorageTelling } from "../../stores/storage-rule.ts";
import type { Bytes, Milliseconds } from "../../units.ts";

/** A bucket of a tenant's. */
export interface BucketId {
	tenant: string;
	bucket: string;
}

/** Hashes that an object may be checked by, as `node:crypto` calls them too. */
export const HASHES = ["md5", "sha1", "sha256", "sha384", "sha512"] as const;
type HashName = (typeof HASHES)[number];

/** Headers that an object is served with. */
export const HTTP_HEADERS: readonly string[] = [
	"content-type",
	"content-language",
	"content-disposition",
	"content-encoding",
	"cache-control",
	"expires",
];

/** What is said of an object by whoever puts it there. */
export interface ObjectMetadata {
	/** As headers call it: name, value, name, value, …; `expires` in milliseconds since 1970. */
	http: string[];
	/** Name, value, name, value, … */
	custom: string[];
	storageClass: string;
}

/** An object, without what is in it. */
export interface ObjectHead extends ObjectMetadata {
	key: string;
	version: string;
	size: Bytes;
	etag: string;
	uploaded: Milliseconds;
	/** In hexadecimal. */
	checksums: Partial<Record<HashName, string>>;
}

/** One of the ETags of a condition; `*` is any. */
export interface EtagMatch {
	value: string;
	isWeak: boolean;
}

/** What has to hold of an object, or of there being none, for something to be done. */
export interface ObjectCondition {
	etagMatches: EtagMatch[] | null;
	etagDoesNotMatch: EtagMatch[] | null;
	uploadedBefore: Milliseconds | null;
	uploadedAfter: Milliseconds | null;
	/** Times are compared by the second. */
	secondsGranularity: boolean;
}

/** Which bytes of an object are wanted. */
export type ObjectRange = { offset: Bytes; length: Bytes | null } | { suffix: Bytes };

export interface ObjectGet extends BucketId {
	key: string;
	onlyIf: ObjectCondition | null;
	range: ObjectRange | null;
}

/** What is told of an object that was asked for. */
export interface ObjectFound {
	head: ObjectHead;
	/** Which bytes there are; `null` where the condition does not hold. */
	range: { offset: Bytes; length: Bytes } | null;
	/** What they are read by; `null` where they come along. */
	reading: string | null;
}

export interface ObjectPut extends BucketId, StorageTelling {
	key: string;
	metadata: ObjectMetadata;
	onlyIf: ObjectCondition | null;
	/** What it is to be hashed to, by one algorithm; `null` for whatever it is. */
	expected: { hash: HashName; value: string } | null;
	/** Of the object: put again, it is there already. */
	version: string;
	/** The blob that came in before, if the content is not with the call. */
	blob: string | null;
}

/** What a change came to. */
export interface ObjectChanged {
	/** `null` where a condition did not hold. */
	head: ObjectHead | null;
	/** What became of its events: queues that have messages, and how many were dropped at the end of a chain. */
	queues: string[];
	dropped: number;
	/** Whether something of its tenant is to be removed still, step by step. */
	isLeft: boolean;
}

export interface ObjectDelete extends BucketId, StorageTelling {
	keys: string[];
}

export interface ObjectList extends BucketId {
	prefix: string;
	/** Keys from this one on. */
	from: string;
	/** Empty for none. */
	delimiter: string;
	limit: number;
	http: boolean;
	custom: boolean;
}

export interface ObjectListed {
	objects: ObjectHead[];
	prefixes: string[];
	/** Where the next ones begin; `null` where there are none. */
	next: string | null;
}

/** Part of a content that comes in by parts. */
export interface UploadId extends BucketId {
	key: string;
	upload: string;
}

export interface UploadBegin extends UploadId {
	metadata: ObjectMetadata;
	mostBytes: Bytes;
}

export interface UploadPart extends UploadId {
	number: number;
	mostBytes: Bytes;
	blob: string | null;
}

export interface UploadComplete extends UploadId, StorageTelling {
	parts: { number: number; etag: string }[];
	version: string;
}

/** How much there is in a bucket. */
export interface BucketCount {
	objects: number;
	bytes: Bytes;
}

/** What a bucket refuses: https://developers.cloudflare.com/r2/api/error-codes/ */
export const ObjectCode = {
	internal: 10001,
	tooSmall: 10011,
	metadataTooLarge: 10012,
	invalidName: 10020,
	invalidLimit: 10022,
	noUpload: 10024,
	invalidPart: 10025,
	invalidArgument: 10029,
	badDigest: 10037,
	invalidRange: 10039,
	unavailable: 10043,
	badUpload: 10048,
	tooMany: 10058,
	storageClass: 10062,
	tooLarge: 100_100,
} as const;
