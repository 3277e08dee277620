/// <reference path="./modules.d.ts" />
/// <reference path="./node.d.ts" />
/// <reference path="./node-http.d.ts" />
/**
 * The globals of a function that runs on atoll, and the types of its handler. For `"types": ["atoll-edge/types"]` and `"lib": ["esnext"]` in a
 * function's tsconfig.json: neither Node's globals nor the DOM's are there then, as they are not where it runs.
 */

// Handlers

/** A handler's third argument. */
export interface ExecutionContext<Props = Record<string, unknown>> {
	/** Keeps the request's resources until the promise settles; its failure is logged. */
	waitUntil(promise: Promise<unknown>): void;
	/** Accepted for compatibility: there is no origin behind a function to pass through to. */
	passThroughOnException(): void;
	/** What whoever has called the function says of itself: the `props` of its service binding. */
	readonly props: Props;
	/** The function's own entrypoints, for it to call. */
	readonly exports: Cloudflare.Exports;
}

/** What a function's module exports as default: one handler at least. `Env` is what its configuration gives. */
export interface Handler<Env = Record<string, unknown>> {
	/** Answers requests. */
	fetch?(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response>;
	/** Does something at a time that has come. */
	scheduled?(controller: ScheduledController, env: Env, ctx: ExecutionContext): void | Promise<void>;
	/** Takes messages from a queue. Those that it says nothing of are delivered if it returns, and retried if it throws. */
	// biome-ignore lint/suspicious/noExplicitAny: what the messages are is for the handler to say.
	queue?(batch: MessageBatch<any>, env: Env, ctx: ExecutionContext): void | Promise<void>;
	/** Takes an event that came from elsewhere: a webhook, or a CloudEvent. It is tried again if it throws. */
	// biome-ignore lint/suspicious/noExplicitAny: what the data is is for the handler to say.
	event?(event: CloudEvent<any>, env: Env, ctx: ExecutionContext): void | Promise<void>;
	/** Hears of changes of what is stored. Those that it says nothing of are delivered if it returns, and retried if it throws. */
	storage?(batch: StorageBatch, env: Env, ctx: ExecutionContext): void | Promise<void>;
}

/** A default export that is a function: it answers requests. */
export type FetchHandler<Env = Record<string, unknown>> = (
	request: Request,
	env: Env,
	ctx: ExecutionContext,
) => Response | Promise<Response>;

/** A default export that is a class, of which there is an instance for each event; `WorkerEntrypoint` may be its base. */
export type HandlerClass<Env = Record<string, unknown>> = new (ctx: ExecutionContext, env: Env) => Handler<Env>;

/** A time that has come: https://developers.cloudflare.com/workers/runtime-apis/handlers/scheduled/ */
export interface ScheduledController {
	readonly type: "scheduled";
	/** The expression that the time came of. */
	readonly cron: string;
	/** When the event was due, in milliseconds since the epoch. */
	readonly scheduledTime: number;
	/** The event is not to be tried again, should the handler fail. */
	noRetry(): void;
}

/** An event that came from elsewhere: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface CloudEvent<Data = unknown> {
	readonly specversion: "1.0";
	/** With its source this names it: the same event may come more than once. */
	readonly id: string;
	readonly source: string;
	/** Of a webhook: what the sender calls it, as `push` or `invoice.paid`. */
	readonly type: string;
	readonly subject?: string;
	/** In the form of RFC 3339. */
	readonly time?: string;
	readonly datacontenttype?: string;
	readonly dataschema?: string;
	/** What its JSON says, a text, or an ArrayBuffer. */
	readonly data?: Data;
	/** How often it was delivered, this time included. */
	readonly attemptNumber: number;
	/** The event is not to be tried again, should the handler fail. */
	noRetry(): void;
	/** Extensions, by their names in lower case. */
	readonly [attribute: string]: unknown;
}

/** Messages of one queue: https://developers.cloudflare.com/queues/configuration/javascript-apis/#messagebatch */
export interface MessageBatch<Body = unknown> {
	readonly queue: string;
	readonly messages: readonly Message<Body>[];
	/** All messages are delivered, but for those of which something else was said. The first thing said counts. */
	ackAll(): void;
	/** All messages are to be delivered again, but for those of which something else was said. */
	retryAll(options?: QueueRetryOptions): void;
}

/** A message of a queue. */
export interface Message<Body = unknown> {
	readonly id: string;
	/** When it was sent. */
	readonly timestamp: Date;
	/** What was sent: what its JSON says, a text, or an ArrayBuffer. */
	readonly body: Body;
	/** How often it was delivered, this time included. */
	readonly attempts: number;
	/** It is delivered, also if the handler then fails. The first thing said of a message counts. */
	ack(): void;
	/** It is to be delivered again. */
	retry(options?: QueueRetryOptions): void;
}

/** Changes of what is stored, as `triggers.storage` has them. */
export interface StorageBatch {
	readonly changes: readonly StorageChange[];
	/** All of them are delivered, but for those of which something else was said. The first thing said counts. */
	ackAll(): void;
	/** All of them are to be delivered again, but for those of which something else was said. */
	retryAll(options?: QueueRetryOptions): void;
}

interface StorageChanged {
	readonly id: string;
	/** How often it was delivered, this time included. */
	readonly attempts: number;
	/** The tenant. */
	readonly account: string;
	/** When it was, in the form of RFC 3339. */
	readonly eventTime: string;
	/** It is delivered, also if the handler then fails. The first thing said of a change counts. */
	ack(): void;
	/** It is to be delivered again. */
	retry(options?: QueueRetryOptions): void;
}

export interface ObjectCreated extends StorageChanged {
	readonly action: "PutObject" | "CopyObject" | "CompleteMultipartUpload";
	readonly bucket: string;
	readonly object: { readonly key: string; readonly size: number; readonly eTag: string };
}

export interface ObjectDeleted extends StorageChanged {
	readonly action: "DeleteObject" | "LifecycleDeletion";
	readonly bucket: string;
	readonly object: { readonly key: string };
}

export interface KeyChanged extends StorageChanged {
	readonly action: "PutKey" | "DeleteKey";
	/** The KV namespace's id. */
	readonly namespace: string;
	readonly key: string;
	/** Of the value, where one was put. */
	readonly size?: number;
}

/** A change of what is stored. */
export type StorageChange = ObjectCreated | ObjectDeleted | KeyChanged;

export interface QueueRetryOptions {
	/** After how many seconds at the earliest: a whole number up to 43 200. */
	delaySeconds?: number;
}

/**
 * A service binding in `env`: another function of the same tenant, which answers whatever the URL's hostname says. What
 * else it has is for `Service` to say.
 */
export interface Fetcher {
	fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
}

/**
 * A `ratelimit` binding in `env`: counts by keys that the function chooses, such as a customer's id. What is counted is
 * this server's, and is forgotten when it is restarted.
 */
export interface RateLimit {
	/** Counts one more for a key of up to 512 bytes; `success` is false past the limit of the period. */
	limit(options: { key: string }): Promise<{ success: boolean }>;
}

/** A data point: https://developers.cloudflare.com/analytics/analytics-engine/ */
export interface AnalyticsEngineDataPoint {
	/** One at most, of 96 bytes. */
	indexes?: (string | ArrayBuffer | null)[];
	/** Up to 20, of 16 KB in all. */
	blobs?: (string | ArrayBuffer | null)[];
	/** Up to 20. */
	doubles?: number[];
}

/** A dataset, which a binding of the type `analytics` writes to. */
export interface AnalyticsEngineDataset {
	/** Returns at once. Up to 250 are written in one invocation; what is more is left out. */
	writeDataPoint(point?: AnalyticsEngineDataPoint): void;
}

/** How a message is sent. */
export interface QueueSendOptions {
	/** How its body is written: `json` by default, which takes whatever JSON can hold; `bytes` arrive as an ArrayBuffer. */
	contentType?: "json" | "text" | "bytes";
	/** After how many seconds it is delivered at the earliest: a whole number up to 43 200. */
	delaySeconds?: number;
}

/**
 * A `queue` binding in `env`: what is sent is kept, and comes to the `queue` handler of the function that consumes the
 * queue, at least once. A message has up to 128 000 bytes, a batch up to 100 messages and 256 000 bytes. Rejects with an
 * Error like `Queue send failed: 413 …` for what is refused.
 */
export interface Queue<Body = unknown> {
	send(body: Body, options?: QueueSendOptions): Promise<void>;
	sendBatch(messages: Iterable<{ body: Body } & QueueSendOptions>, options?: { delaySeconds?: number }): Promise<void>;
}

/** What can be said of a value that is put into a `KVNamespace`. */
export interface KVNamespacePutOptions {
	/** When it expires, in seconds since 1970; at least 60 seconds from now. */
	expiration?: number;
	/** In how many seconds it expires, at least 60. */
	expirationTtl?: number;
	/** Anything that JSON can hold, up to 1024 bytes. */
	metadata?: unknown;
}

/** What a `KVNamespace` tells of a key. */
export interface KVNamespaceListKey<Metadata = unknown> {
	name: string;
	/** In seconds since 1970. */
	expiration?: number;
	metadata?: Metadata;
}

export type KVNamespaceListResult<Metadata = unknown> =
	| { keys: KVNamespaceListKey<Metadata>[]; list_complete: true; cacheStatus: null }
	| { keys: KVNamespaceListKey<Metadata>[]; list_complete: false; cursor: string; cacheStatus: null };

export interface KVNamespaceFound<Value, Metadata = unknown> {
	value: Value | null;
	metadata: Metadata | null;
	cacheStatus: null;
}

/** How a value is read; text by default. Through `cacheTtl` nothing changes: there is one copy, and it is near. */
type KVAs<Type extends string> = Type | { type: Type; cacheTtl?: number };

/**
 * A `kv` binding in `env`: keys and values that last. Keys have up to 512 bytes and values up to 25 MB. Rejects with an
 * Error like `KV PUT failed: 413 …` for what is refused.
 */
export interface KVNamespace {
	get(key: string, options?: Partial<{ type: "text"; cacheTtl: number }> | "text"): Promise<string | null>;
	get<Value = unknown>(key: string, options: KVAs<"json">): Promise<Value | null>;
	get(key: string, options: KVAs<"arrayBuffer">): Promise<ArrayBuffer | null>;
	get(key: string, options: KVAs<"stream">): Promise<ReadableStream | null>;
	/** Several at once, up to 100. */
	get(keys: string[], options?: KVAs<"text">): Promise<Map<string, string | null>>;
	get<Value = unknown>(keys: string[], options: KVAs<"json">): Promise<Map<string, Value | null>>;
	getWithMetadata<Metadata = unknown>(
		key: string,
		options?: Partial<{ type: "text"; cacheTtl: number }> | "text",
	): Promise<KVNamespaceFound<string, Metadata>>;
	getWithMetadata<Value = unknown, Metadata = unknown>(
		key: string,
		options: KVAs<"json">,
	): Promise<KVNamespaceFound<Value, Metadata>>;
	getWithMetadata<Metadata = unknown>(
		key: string,
		options: KVAs<"arrayBuffer">,
	): Promise<KVNamespaceFound<ArrayBuffer, Metadata>>;
	getWithMetadata<Metadata = unknown>(
		key: string,
		options: KVAs<"stream">,
	): Promise<KVNamespaceFound<ReadableStream, Metadata>>;
	put(
		key: string,
		value: string | ArrayBuffer | ArrayBufferView | ReadableStream,
		options?: KVNamespacePutOptions,
	): Promise<void>;
	delete(key: string): Promise<void>;
	/** Some of the keys, in the order of their bytes: up to 1000, which is the default. */
	list<Metadata = unknown>(options?: {
		prefix?: string | null;
		cursor?: string | null;
		limit?: number;
	}): Promise<KVNamespaceListResult<Metadata>>;
}

/** What can be bound to a parameter of a statement. */
type D1Value = null | boolean | number | string | ArrayBuffer | ArrayBufferView | number[];

export interface D1Meta {
	served_by: string;
	/** How long it took, in milliseconds. */
	duration: number;
	/** How many rows were inserted, changed or deleted, those of triggers included. */
	changes: number;
	last_row_id: number;
	changed_db: boolean;
	/** How large the database is, in bytes. */
	size_after: number;
	/** How many rows were looked through one by one, or given; those that an index led to are not counted. */
	rows_read: number;
	rows_written: number;
}

export interface D1Result<Row = Record<string, unknown>> {
	success: true;
	results: Row[];
	meta: D1Meta;
}

/** A statement, with what is bound to it. Blobs come as lists of bytes, integers as numbers. */
export interface D1PreparedStatement {
	/** Another one, with a value for each `?`. */
	bind(...values: D1Value[]): D1PreparedStatement;
	/** The first row, or a column of it; `null` where there is none. */
	first<Value = unknown>(column: string): Promise<Value | null>;
	first<Row = Record<string, unknown>>(): Promise<Row | null>;
	all<Row = Record<string, unknown>>(): Promise<D1Result<Row>>;
	run<Row = Record<string, unknown>>(): Promise<D1Result<Row>>;
	/** Rows as lists; with `columnNames` the first has their names. */
	raw<Row extends unknown[] = unknown[]>(options: { columnNames: true }): Promise<[string[], ...Row[]]>;
	raw<Row extends unknown[] = unknown[]>(options?: { columnNames?: false }): Promise<Row[]>;
}

/** A database as seen from one moment on. There is one copy of each, so that any other would do. */
export interface D1DatabaseSession {
	prepare(query: string): D1PreparedStatement;
	batch<Row = Record<string, unknown>>(statements: D1PreparedStatement[]): Promise<D1Result<Row>[]>;
	/** What a later session can begin with; `null` before the first query. */
	getBookmark(): string | null;
}

/**
 * A `sql` binding in `env`: a SQLite database that lasts, with the interface of Workers' D1. Rejects with an Error like
 * `D1_ERROR: no such table: users: SQLITE_ERROR` for what fails.
 */
export interface D1Database {
	prepare(query: string): D1PreparedStatement;
	/** Statements as one transaction: all of them, or none. */
	batch<Row = Record<string, unknown>>(statements: D1PreparedStatement[]): Promise<D1Result<Row>[]>;
	/** Statements one after the other, each for itself. */
	exec(query: string): Promise<{ count: number; duration: number }>;
	withSession(constraintOrBookmark?: "first-primary" | "first-unconstrained" | (string & {})): D1DatabaseSession;
}

/** Headers that an object is served with, as `writeHttpMetadata` sets them. */
export interface R2HTTPMetadata {
	contentType?: string;
	contentLanguage?: string;
	contentDisposition?: string;
	contentEncoding?: string;
	cacheControl?: string;
	cacheExpiry?: Date;
}

/** What has to hold of an object for something to be done; `Headers` as a request has them say the same. */
export interface R2Conditional {
	etagMatches?: string;
	etagDoesNotMatch?: string;
	uploadedBefore?: Date;
	uploadedAfter?: Date;
	/** Times are compared by the second. */
	secondsGranularity?: boolean;
}

export type R2Range = { offset: number; length?: number } | { offset?: number; length: number } | { suffix: number };

export interface R2GetOptions {
	onlyIf?: R2Conditional | Headers;
	/** `Headers` have it as `Range`. */
	range?: R2Range | Headers;
}

export interface R2MultipartOptions {
	httpMetadata?: R2HTTPMetadata | Headers;
	customMetadata?: Record<string, string>;
	storageClass?: "Standard" | "InfrequentAccess";
}

type R2Digest = ArrayBuffer | ArrayBufferView | string;

export interface R2PutOptions extends R2MultipartOptions {
	onlyIf?: R2Conditional | Headers;
	/** What the object is to be hashed to, by one of these: bytes, or hexadecimal digits. */
	md5?: R2Digest;
	sha1?: R2Digest;
	sha256?: R2Digest;
	sha384?: R2Digest;
	sha512?: R2Digest;
}

export interface R2ListOptions {
	prefix?: string;
	cursor?: string;
	delimiter?: string;
	startAfter?: string;
	/** 1000 at most, which is the default. */
	limit?: number;
	include?: ("httpMetadata" | "customMetadata")[];
}

export interface R2Checksums {
	readonly md5?: ArrayBuffer;
	readonly sha1?: ArrayBuffer;
	readonly sha256?: ArrayBuffer;
	readonly sha384?: ArrayBuffer;
	readonly sha512?: ArrayBuffer;
	/** The same in hexadecimal. */
	toJSON(): Record<string, string>;
}

export interface R2Object {
	readonly key: string;
	readonly version: string;
	readonly size: number;
	readonly etag: string;
	/** The ETag as a header has it. */
	readonly httpEtag: string;
	readonly checksums: R2Checksums;
	readonly uploaded: Date;
	/** Not of a list that was not asked to include it; neither is the next. */
	readonly httpMetadata?: R2HTTPMetadata;
	readonly customMetadata?: Record<string, string>;
	readonly range?: { offset: number; length: number };
	readonly storageClass: string;
	writeHttpMetadata(headers: Headers): void;
}

export interface R2ObjectBody extends R2Object {
	readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
	readonly bodyUsed: boolean;
	arrayBuffer(): Promise<ArrayBuffer>;
	bytes(): Promise<Uint8Array<ArrayBuffer>>;
	text(): Promise<string>;
	json<Value = unknown>(): Promise<Value>;
	blob(): Promise<Blob>;
}

export type R2Objects = { objects: R2Object[]; delimitedPrefixes: string[] } & (
	| { truncated: false }
	| { truncated: true; cursor: string }
);

export interface R2UploadedPart {
	partNumber: number;
	etag: string;
}

export type R2Content = string | ArrayBuffer | ArrayBufferView | Blob | ReadableStream | null;

export interface R2MultipartUpload {
	readonly key: string;
	readonly uploadId: string;
	/** Parts have at least 5 MB and one size, but for the last. */
	uploadPart(partNumber: number, value: Exclude<R2Content, null>): Promise<R2UploadedPart>;
	complete(uploadedParts: Iterable<R2UploadedPart>): Promise<R2Object>;
	abort(): Promise<void>;
}

/**
 * An `objects` binding in `env`: objects of any size, that last. Keys have up to 1024 bytes, objects up to 5 GB, and as
 * many parts of that. Rejects with an Error like `put: … (10037)`, with R2's code, for what is refused.
 */
export interface R2Bucket {
	head(key: string): Promise<R2Object | null>;
	get(key: string, options: R2GetOptions & { onlyIf: object }): Promise<R2ObjectBody | R2Object | null>;
	get(key: string, options?: R2GetOptions): Promise<R2ObjectBody | null>;
	/** `null` where the condition does not hold. */
	put(key: string, value: R2Content, options: R2PutOptions & { onlyIf: object }): Promise<R2Object | null>;
	put(key: string, value: R2Content, options?: R2PutOptions): Promise<R2Object>;
	/** One, or up to a thousand. */
	delete(keys: string | string[]): Promise<void>;
	list(options?: R2ListOptions): Promise<R2Objects>;
	createMultipartUpload(key: string, options?: R2MultipartOptions): Promise<R2MultipartUpload>;
	resumeMultipartUpload(key: string, uploadId: string): R2MultipartUpload;
}

/** Names that no method can be called by. */
type Reserved =
	| "alarm"
	| "connect"
	| "constructor"
	| "dup"
	| "fetch"
	| "queue"
	| "scheduled"
	| "storage"
	| "then"
	| "toJSON"
	| "webSocketClose"
	| "webSocketError"
	| "webSocketMessage";
type RpcTarget = import("cloudflare:workers").RpcTarget;
/** What a call gives, and what can be called of it before it is there. */
type Result<T> = Promise<Given<Awaited<T>>> & Early<Awaited<T>>;
/** A copy, or a stub of what stays where it is. */
type Given<T> = T extends RpcTarget
	? Members<T> & Disposable
	: T extends (...args: infer Args) => infer Returned
		? ((...args: Args) => Result<Returned>) & Disposable
		: T;
type Early<T> = T extends (...args: infer Args) => infer Returned
	? (...args: Args) => Result<Returned>
	: T extends object
		? Members<T>
		: unknown;
type Called<T> = T extends (...args: infer Args) => infer Returned ? (...args: Args) => Result<Returned> : Result<T>;
type Members<T> = { readonly [Name in Exclude<keyof T, Reserved | symbol | keyof Promise<unknown>>]: Called<T[Name]> };

/**
 * A service binding in `env` whose function, or the entrypoint of it, is a class: each of its methods and properties,
 * as a promise. `T` is the class, or its instances' type.
 */
export type Service<T> = Fetcher & Members<T extends abstract new (...args: never[]) => infer Instance ? Instance : T>;

/** What a function calls an export of its own by; called, it gives one whose calls have `props` in their `ctx`. */
export type LoopbackStub<T = unknown> = Service<T> & ((options: { props?: Record<string, unknown> }) => Service<T>);

/** Who is at the other end of a request's connection. */
export interface Client {
	readonly ip: string;
	readonly port: number;
	/** Of HTTP, such as `HTTP/1.1`. */
	readonly protocol: string;
	/** The version of TLS, such as `TLSv1.3`; `null` where there is none. */
	readonly tls: string | null;
}

declare global {
	// Bytes and text

	type BufferSource = ArrayBuffer | ArrayBufferView;
	type BodyInit =
		| string
		| BufferSource
		| Blob
		| FormData
		| URLSearchParams
		| ReadableStream
		| AsyncIterable<Uint8Array>;
	type HeadersInit = Headers | Record<string, string> | Iterable<readonly [string, string]>;

	function atob(data: string): string;
	function btoa(data: string): string;

	class TextEncoder {
		readonly encoding: "utf-8";
		encode(input?: string): Uint8Array<ArrayBuffer>;
		encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
	}
	interface TextDecoderOptions {
		fatal?: boolean;
		ignoreBOM?: boolean;
	}
	class TextDecoder {
		constructor(label?: string, options?: TextDecoderOptions);
		readonly encoding: string;
		readonly fatal: boolean;
		readonly ignoreBOM: boolean;
		decode(input?: BufferSource, options?: { stream?: boolean }): string;
	}
	class TextEncoderStream {
		readonly encoding: "utf-8";
		readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
		readonly writable: WritableStream<string>;
	}
	class TextDecoderStream {
		constructor(label?: string, options?: TextDecoderOptions);
		readonly encoding: string;
		readonly fatal: boolean;
		readonly ignoreBOM: boolean;
		readonly readable: ReadableStream<string>;
		readonly writable: WritableStream<BufferSource>;
	}
	type CompressionFormat = "gzip" | "deflate" | "deflate-raw";
	class CompressionStream {
		constructor(format: CompressionFormat);
		readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
		readonly writable: WritableStream<BufferSource>;
	}
	class DecompressionStream {
		constructor(format: CompressionFormat);
		readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
		readonly writable: WritableStream<BufferSource>;
	}
	class Blob {
		constructor(
			parts?: Iterable<string | BufferSource | Blob>,
			options?: { type?: string; endings?: "transparent" | "native" },
		);
		readonly size: number;
		readonly type: string;
		arrayBuffer(): Promise<ArrayBuffer>;
		bytes(): Promise<Uint8Array<ArrayBuffer>>;
		slice(start?: number, end?: number, type?: string): Blob;
		stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
		text(): Promise<string>;
		textStream(): ReadableStream<string>;
	}
	class File extends Blob {
		constructor(
			parts: Iterable<string | BufferSource | Blob>,
			name: string,
			options?: { type?: string; lastModified?: number },
		);
		readonly name: string;
		readonly lastModified: number;
	}
	class FormData {
		append(name: string, value: string | Blob, filename?: string): void;
		delete(name: string): void;
		get(name: string): string | File | null;
		getAll(name: string): (string | File)[];
		has(name: string): boolean;
		set(name: string, value: string | Blob, filename?: string): void;
		forEach(callback: (value: string | File, name: string, form: FormData) => void): void;
		entries(): IterableIterator<[string, string | File]>;
		keys(): IterableIterator<string>;
		values(): IterableIterator<string | File>;
		[Symbol.iterator](): IterableIterator<[string, string | File]>;
	}

	// Fetch

	class Headers {
		constructor(init?: HeadersInit);
		append(name: string, value: string): void;
		delete(name: string): void;
		get(name: string): string | null;
		/** What `getSetCookie` gives. */
		getAll(name: "set-cookie" | "Set-Cookie"): string[];
		getSetCookie(): string[];
		has(name: string): boolean;
		set(name: string, value: string): void;
		forEach(callback: (value: string, name: string, headers: Headers) => void): void;
		entries(): IterableIterator<[string, string]>;
		keys(): IterableIterator<string>;
		values(): IterableIterator<string>;
		[Symbol.iterator](): IterableIterator<[string, string]>;
	}
	interface Body {
		readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
		readonly bodyUsed: boolean;
		arrayBuffer(): Promise<ArrayBuffer>;
		blob(): Promise<Blob>;
		bytes(): Promise<Uint8Array<ArrayBuffer>>;
		formData(): Promise<FormData>;
		json<T = unknown>(): Promise<T>;
		text(): Promise<string>;
		textStream(): ReadableStream<string>;
	}
	interface RequestInit {
		method?: string;
		headers?: HeadersInit;
		body?: BodyInit | null;
		redirect?: "follow" | "error" | "manual";
		signal?: AbortSignal | null;
		/** Needed where the body is a stream. */
		duplex?: "half";
		cache?: string;
		credentials?: string;
		integrity?: string;
		keepalive?: boolean;
		mode?: string;
		referrer?: string;
		referrerPolicy?: string;
		/** Kept as `cf` of the request, and nothing else. */
		cf?: Record<string, unknown>;
	}
	interface IncomingRequestCfProperties {
		/** Such as `HTTP/1.1`. */
		readonly httpProtocol?: string;
		/** Such as `TLSv1.3`; absent where there is none. */
		readonly tlsVersion?: string;
		readonly [name: string]: unknown;
	}
	interface Request extends Body {
		readonly method: string;
		readonly url: string;
		readonly headers: Headers;
		readonly redirect: "follow" | "error" | "manual";
		readonly signal: AbortSignal;
		/** Who asks; `null` for a request that the function has made itself. */
		readonly client: Client | null;
		/**
		 * What the edge knows of the connection that it came by, as Workers name it; `undefined` for a request that the
		 * function has made itself.
		 */
		readonly cf: IncomingRequestCfProperties | undefined;
		readonly cache: string;
		readonly credentials: string;
		readonly destination: string;
		readonly duplex: "half";
		readonly integrity: string;
		readonly keepalive: boolean;
		readonly isReloadNavigation: boolean;
		readonly isHistoryNavigation: boolean;
		readonly mode: string;
		readonly referrer: string;
		readonly referrerPolicy: string;
		clone(): Request;
	}
	const Request: { prototype: Request; new (input: Request | URL | string, init?: RequestInit): Request };
	interface ResponseInit {
		status?: number;
		statusText?: string;
		headers?: HeadersInit;
		/** With status 101: the socket of a WebSocketPair that becomes the client's. */
		webSocket?: WebSocket | null;
		/** Kept as `cf` of the response, and nothing else. */
		cf?: Record<string, unknown>;
		/** Changes nothing: a body leaves as it is, whatever its `Content-Encoding` says. */
		encodeBody?: "automatic" | "manual";
	}
	interface Response extends Body {
		readonly type: "default" | "basic" | "error" | "opaqueredirect";
		readonly url: string;
		readonly redirected: boolean;
		readonly status: number;
		readonly ok: boolean;
		readonly statusText: string;
		readonly headers: Headers;
		readonly webSocket: WebSocket | null;
		readonly cf: Record<string, unknown> | undefined;
		clone(): Response;
	}
	const Response: {
		prototype: Response;
		new (body?: BodyInit | null, init?: ResponseInit): Response;
		error(): Response;
		json(data: unknown, init?: ResponseInit): Response;
		redirect(url: string | URL, status?: number): Response;
	};
	function fetch(input: Request | URL | string, init?: RequestInit): Promise<Response>;
	/** An event as listeners get it: what it began is over once all that `waitUntil` was given has settled. */
	class ExtendableEvent extends Event {
		protected constructor();
		waitUntil(promise: Promise<unknown>): void;
	}
	class FetchEvent extends ExtendableEvent {
		private constructor();
		readonly request: Request;
		/** To be called by a listener before it returns. */
		respondWith(response: Response | Promise<Response>): void;
		passThroughOnException(): void;
	}
	interface ScheduledEvent extends ExtendableEvent, Omit<ScheduledController, "type"> {
		readonly type: "scheduled";
	}
	const ScheduledEvent: { prototype: ScheduledEvent };
	interface QueueEvent<Body = unknown> extends ExtendableEvent, MessageBatch<Body> {
		readonly type: "queue";
	}
	const QueueEvent: { prototype: QueueEvent };
	/** What the global scope is an instance of. */
	class WorkerGlobalScope extends EventTarget {
		private constructor();
	}
	const ServiceWorkerGlobalScope: typeof WorkerGlobalScope;
	interface EventSourceInit {
		withCredentials?: boolean;
		/** What sends its requests, a service binding, say. Default: the global `fetch`. */
		fetcher?: { fetch(url: string, init: RequestInit): Promise<Response> };
	}
	class EventSource extends EventTarget {
		static readonly CONNECTING: 0;
		static readonly OPEN: 1;
		static readonly CLOSED: 2;
		/** Reads the events of a stream of bytes. */
		static from(stream: ReadableStream): EventSource;
		constructor(url: string | URL, init?: EventSourceInit);
		/** `null` for one that reads a stream. */
		readonly url: string | null;
		readonly withCredentials: boolean;
		readonly readyState: number;
		onopen: ((event: Event) => unknown) | null;
		onmessage: ((event: MessageEvent) => unknown) | null;
		onerror: ((event: Event) => unknown) | null;
		close(): void;
	}
	class Cache {
		match(
			request: Request | URL | string,
			options?: { ignoreMethod?: boolean; ignoreVary?: boolean },
		): Promise<Response | undefined>;
		put(request: Request | URL | string, response: Response): Promise<undefined>;
		delete(request: Request | URL | string, options?: { ignoreMethod?: boolean }): Promise<boolean>;
	}
	class CacheStorage {
		readonly default: Cache;
		open(name: string): Promise<Cache>;
		has(name: string): Promise<boolean>;
		delete(name: string): Promise<boolean>;
		keys(): Promise<string[]>;
		match(request: Request | URL | string): Promise<Response | undefined>;
	}
	const caches: CacheStorage;

	// URLs

	class URL {
		constructor(url: string | URL, base?: string | URL);
		static canParse(url: string | URL, base?: string | URL): boolean;
		static parse(url: string | URL, base?: string | URL): URL | null;
		href: string;
		readonly origin: string;
		protocol: string;
		username: string;
		password: string;
		host: string;
		hostname: string;
		port: string;
		pathname: string;
		search: string;
		readonly searchParams: URLSearchParams;
		hash: string;
		toString(): string;
		toJSON(): string;
	}
	class URLSearchParams {
		constructor(init?: string | Record<string, string> | Iterable<readonly [string, string]>);
		readonly size: number;
		append(name: string, value: string): void;
		delete(name: string, value?: string): void;
		get(name: string): string | null;
		getAll(name: string): string[];
		has(name: string, value?: string): boolean;
		set(name: string, value: string): void;
		sort(): void;
		toString(): string;
		forEach(callback: (value: string, name: string, params: URLSearchParams) => void): void;
		entries(): IterableIterator<[string, string]>;
		keys(): IterableIterator<string>;
		values(): IterableIterator<string>;
		[Symbol.iterator](): IterableIterator<[string, string]>;
	}
	type URLPatternComponent =
		| "protocol"
		| "username"
		| "password"
		| "hostname"
		| "port"
		| "pathname"
		| "search"
		| "hash";
	type URLPatternInit = Partial<Record<URLPatternComponent | "baseURL", string>>;
	type URLPatternResult = { inputs: (string | URLPatternInit)[] } & Record<
		URLPatternComponent,
		{ input: string; groups: Record<string, string | undefined> }
	>;
	interface URLPattern extends Readonly<Record<URLPatternComponent, string>> {
		readonly hasRegExpGroups: boolean;
		test(input?: string | URLPatternInit, baseURL?: string): boolean;
		exec(input?: string | URLPatternInit, baseURL?: string): URLPatternResult | null;
	}
	const URLPattern: {
		prototype: URLPattern;
		new (input: string, baseURL: string, options?: { ignoreCase?: boolean }): URLPattern;
		new (input?: string | URLPatternInit, options?: { ignoreCase?: boolean }): URLPattern;
	};

	// Streams

	interface QueuingStrategy<T> {
		highWaterMark?: number;
		size?(chunk: T): number;
	}
	class ByteLengthQueuingStrategy implements QueuingStrategy<ArrayBufferView> {
		constructor(init: { highWaterMark: number });
		readonly highWaterMark: number;
		size(chunk: ArrayBufferView): number;
	}
	class CountQueuingStrategy implements QueuingStrategy<unknown> {
		constructor(init: { highWaterMark: number });
		readonly highWaterMark: number;
		size(): 1;
	}
	interface UnderlyingSource<R> {
		type?: undefined;
		start?(controller: ReadableStreamDefaultController<R>): unknown;
		pull?(controller: ReadableStreamDefaultController<R>): unknown;
		cancel?(reason: unknown): unknown;
	}
	interface UnderlyingByteSource {
		type: "bytes";
		autoAllocateChunkSize?: number;
		start?(controller: ReadableByteStreamController): unknown;
		pull?(controller: ReadableByteStreamController): unknown;
		cancel?(reason: unknown): unknown;
	}
	interface StreamPipeOptions {
		preventAbort?: boolean;
		preventCancel?: boolean;
		preventClose?: boolean;
		signal?: AbortSignal;
	}
	class ReadableStream<R = unknown> {
		constructor(source: UnderlyingByteSource, strategy?: { highWaterMark?: number });
		constructor(source?: UnderlyingSource<R>, strategy?: QueuingStrategy<R>);
		static from<T>(iterable: AsyncIterable<T> | Iterable<T | PromiseLike<T>>): ReadableStream<T>;
		readonly locked: boolean;
		cancel(reason?: unknown): Promise<void>;
		getReader(): ReadableStreamDefaultReader<R>;
		getReader(options: { mode: "byob" }): ReadableStreamBYOBReader;
		pipeThrough<T>(
			transform: { readable: ReadableStream<T>; writable: WritableStream<R> },
			options?: StreamPipeOptions,
		): ReadableStream<T>;
		pipeTo(destination: WritableStream<R>, options?: StreamPipeOptions): Promise<void>;
		tee(): [ReadableStream<R>, ReadableStream<R>];
		values(options?: { preventCancel?: boolean }): AsyncIterableIterator<R>;
		[Symbol.asyncIterator](options?: { preventCancel?: boolean }): AsyncIterableIterator<R>;
	}
	type ReadableStreamReadResult<T> = { done: false; value: T } | { done: true; value: T | undefined };
	class ReadableStreamDefaultReader<R = unknown> {
		constructor(stream: ReadableStream<R>);
		readonly closed: Promise<undefined>;
		cancel(reason?: unknown): Promise<void>;
		read(): Promise<ReadableStreamReadResult<R>>;
		releaseLock(): void;
	}
	class ReadableStreamBYOBReader {
		constructor(stream: ReadableStream);
		readonly closed: Promise<undefined>;
		cancel(reason?: unknown): Promise<void>;
		read<T extends ArrayBufferView>(view: T, options?: { min?: number }): Promise<ReadableStreamReadResult<T>>;
		/** Waits for so many bytes, or the end of the stream. */
		readAtLeast<T extends ArrayBufferView>(minBytes: number, view: T): Promise<ReadableStreamReadResult<T>>;
		releaseLock(): void;
	}
	class ReadableStreamDefaultController<R = unknown> {
		private constructor();
		readonly desiredSize: number | null;
		close(): void;
		enqueue(chunk?: R): void;
		error(reason?: unknown): void;
	}
	class ReadableByteStreamController {
		private constructor();
		readonly byobRequest: ReadableStreamBYOBRequest | null;
		readonly desiredSize: number | null;
		close(): void;
		enqueue(chunk: ArrayBufferView): void;
		error(reason?: unknown): void;
	}
	class ReadableStreamBYOBRequest {
		private constructor();
		readonly view: Uint8Array<ArrayBuffer> | null;
		respond(bytesWritten: number): void;
		respondWithNewView(view: ArrayBufferView): void;
	}
	interface UnderlyingSink<W> {
		start?(controller: WritableStreamDefaultController): unknown;
		write?(chunk: W, controller: WritableStreamDefaultController): unknown;
		close?(): unknown;
		abort?(reason: unknown): unknown;
	}
	class WritableStream<W = unknown> {
		constructor(sink?: UnderlyingSink<W>, strategy?: QueuingStrategy<W>);
		readonly locked: boolean;
		abort(reason?: unknown): Promise<void>;
		close(): Promise<void>;
		getWriter(): WritableStreamDefaultWriter<W>;
	}
	class WritableStreamDefaultWriter<W = unknown> {
		constructor(stream: WritableStream<W>);
		readonly closed: Promise<undefined>;
		readonly desiredSize: number | null;
		readonly ready: Promise<undefined>;
		abort(reason?: unknown): Promise<void>;
		close(): Promise<void>;
		releaseLock(): void;
		write(chunk?: W): Promise<void>;
	}
	class WritableStreamDefaultController {
		private constructor();
		readonly signal: AbortSignal;
		error(reason?: unknown): void;
	}
	interface Transformer<I, O> {
		start?(controller: TransformStreamDefaultController<O>): unknown;
		transform?(chunk: I, controller: TransformStreamDefaultController<O>): unknown;
		flush?(controller: TransformStreamDefaultController<O>): unknown;
		cancel?(reason: unknown): unknown;
	}
	class TransformStream<I = unknown, O = I> {
		constructor(
			transformer?: Transformer<I, O>,
			writableStrategy?: QueuingStrategy<I>,
			readableStrategy?: QueuingStrategy<O>,
		);
		readonly readable: ReadableStream<O>;
		readonly writable: WritableStream<I>;
	}
	/** Bytes as they are: a write is done once its bytes have been read. */
	class IdentityTransformStream extends TransformStream<BufferSource, Uint8Array<ArrayBuffer>> {
		constructor(strategy?: { highWaterMark?: number });
	}
	/** The same for a length that is known: a body made of it is sent with that as its `Content-Length`. */
	class FixedLengthStream extends IdentityTransformStream {
		constructor(expectedLength: number | bigint, strategy?: { highWaterMark?: number });
	}
	class TransformStreamDefaultController<O = unknown> {
		private constructor();
		readonly desiredSize: number | null;
		enqueue(chunk?: O): void;
		error(reason?: unknown): void;
		terminate(): void;
	}

	// Events

	interface EventInit {
		bubbles?: boolean;
		cancelable?: boolean;
		composed?: boolean;
	}
	class Event {
		constructor(type: string, init?: EventInit);
		readonly type: string;
		readonly target: EventTarget | null;
		readonly currentTarget: EventTarget | null;
		readonly eventPhase: number;
		readonly bubbles: boolean;
		readonly cancelable: boolean;
		readonly composed: boolean;
		readonly defaultPrevented: boolean;
		readonly isTrusted: boolean;
		readonly timeStamp: number;
		composedPath(): EventTarget[];
		preventDefault(): void;
		stopPropagation(): void;
		stopImmediatePropagation(): void;
	}
	type EventListener<E extends Event = Event> = ((event: E) => unknown) | { handleEvent(event: E): unknown };
	interface AddEventListenerOptions {
		capture?: boolean;
		once?: boolean;
		passive?: boolean;
		signal?: AbortSignal;
	}
	class EventTarget {
		addEventListener<E extends Event = Event>(
			type: string,
			listener: EventListener<E> | null,
			options?: boolean | AddEventListenerOptions,
		): void;
		removeEventListener<E extends Event = Event>(
			type: string,
			listener: EventListener<E> | null,
			options?: boolean | { capture?: boolean },
		): void;
		dispatchEvent(event: Event): boolean;
	}
	class CustomEvent<T = unknown> extends Event {
		constructor(type: string, init?: EventInit & { detail?: T });
		readonly detail: T;
	}
	class ErrorEvent extends Event {
		constructor(
			type: string,
			init?: EventInit & { message?: string; filename?: string; lineno?: number; colno?: number; error?: unknown },
		);
		readonly message: string;
		readonly filename: string;
		readonly lineno: number;
		readonly colno: number;
		readonly error: unknown;
	}
	class PromiseRejectionEvent extends Event {
		constructor(type: string, init: EventInit & { promise: Promise<unknown>; reason?: unknown });
		readonly promise: Promise<unknown>;
		readonly reason: unknown;
	}
	class MessageEvent<T = unknown> extends Event {
		constructor(
			type: string,
			init?: EventInit & { data?: T; origin?: string; lastEventId?: string; ports?: MessagePort[] },
		);
		readonly data: T;
		readonly origin: string;
		readonly lastEventId: string;
		readonly ports: readonly MessagePort[];
	}
	class CloseEvent extends Event {
		constructor(type: string, init?: EventInit & { wasClean?: boolean; code?: number; reason?: string });
		readonly wasClean: boolean;
		readonly code: number;
		readonly reason: string;
	}
	class AbortController {
		readonly signal: AbortSignal;
		abort(reason?: unknown): void;
	}
	class AbortSignal extends EventTarget {
		private constructor();
		static abort(reason?: unknown): AbortSignal;
		static any(signals: Iterable<AbortSignal>): AbortSignal;
		static timeout(milliseconds: number): AbortSignal;
		readonly aborted: boolean;
		readonly reason: unknown;
		onabort: ((event: Event) => unknown) | null;
		throwIfAborted(): void;
	}
	class MessageChannel {
		readonly port1: MessagePort;
		readonly port2: MessagePort;
	}
	class MessagePort extends EventTarget {
		private constructor();
		onmessage: ((event: MessageEvent) => unknown) | null;
		onmessageerror: ((event: MessageEvent) => unknown) | null;
		postMessage(message: unknown, transfer?: object[] | { transfer?: object[] }): void;
		start(): void;
		close(): void;
	}
	class WebSocket extends EventTarget {
		/** A function opens none itself: it has those of a WebSocketPair. Packages name the parameters of the constructor. */
		constructor(url: never);
		static readonly CONNECTING: 0;
		static readonly OPEN: 1;
		static readonly CLOSING: 2;
		static readonly CLOSED: 3;
		readonly readyState: 0 | 1 | 2 | 3;
		binaryType: "arraybuffer" | "blob";
		onmessage: ((event: MessageEvent<string | ArrayBuffer>) => unknown) | null;
		onclose: ((event: CloseEvent) => unknown) | null;
		accept(): void;
		send(data: string | BufferSource | Blob): void;
		close(code?: number, reason?: string): void;
	}
	class WebSocketPair {
		readonly 0: WebSocket;
		readonly 1: WebSocket;
	}
	class DOMException extends Error {
		constructor(message?: string, name?: string | { name?: string; cause?: unknown });
		readonly code: number;
	}
	class QuotaExceededError extends DOMException {
		constructor(message?: string, options?: { quota?: number; requested?: number });
		readonly quota: number | null;
		readonly requested: number | null;
	}
	function addEventListener(type: "fetch", listener: (event: FetchEvent) => unknown): void;
	function addEventListener(type: "scheduled", listener: (event: ScheduledEvent) => unknown): void;
	// biome-ignore lint/suspicious/noExplicitAny: what the messages are is for the listener to say.
	function addEventListener(type: "queue", listener: (event: QueueEvent<any>) => unknown): void;
	function addEventListener(type: "error", listener: (event: ErrorEvent) => unknown): void;
	function addEventListener(type: "unhandledrejection", listener: (event: PromiseRejectionEvent) => unknown): void;
	function addEventListener(
		type: string,
		listener: EventListener | null,
		options?: boolean | AddEventListenerOptions,
	): void;
	function removeEventListener(
		type: string,
		listener: EventListener | null,
		options?: boolean | { capture?: boolean },
	): void;
	function dispatchEvent(event: Event): boolean;
	function reportError(error: unknown): void;
	var onerror: ((message: string, source: string, line: number, column: number, error: unknown) => unknown) | null;
	var onunhandledrejection: ((event: PromiseRejectionEvent) => unknown) | null;
	var onrejectionhandled: ((event: PromiseRejectionEvent) => unknown) | null;

	// Time

	function setTimeout<A extends unknown[]>(callback: (...args: A) => void, delay?: number, ...args: A): number;
	function setInterval<A extends unknown[]>(callback: (...args: A) => void, delay?: number, ...args: A): number;
	function clearTimeout(timer?: number): void;
	function clearInterval(timer?: number): void;
	function queueMicrotask(callback: () => void): void;
	class Scheduler {
		private constructor();
		wait(milliseconds: number, options?: { signal?: AbortSignal }): Promise<void>;
	}
	const scheduler: Scheduler;
	class PerformanceEntry {
		protected constructor();
		readonly name: string;
		readonly entryType: string;
		readonly startTime: number;
		readonly duration: number;
		toJSON(): object;
	}
	class PerformanceMark extends PerformanceEntry {
		constructor(name: string, options?: { startTime?: number; detail?: unknown });
		readonly detail: unknown;
	}
	class PerformanceMeasure extends PerformanceEntry {
		private constructor();
		readonly detail: unknown;
	}
	class Performance extends EventTarget {
		private constructor();
		readonly timeOrigin: number;
		/** It stands still during a turn. */
		now(): number;
		mark(name: string, options?: { startTime?: number; detail?: unknown }): PerformanceMark;
		measure(
			name: string,
			start?: string | { start?: string | number; end?: string | number; duration?: number; detail?: unknown },
			end?: string,
		): PerformanceMeasure;
		clearMarks(name?: string): void;
		clearMeasures(name?: string): void;
		getEntries(): PerformanceEntry[];
		getEntriesByName(name: string, type?: string): PerformanceEntry[];
		getEntriesByType(type: string): PerformanceEntry[];
		toJSON(): object;
	}
	const performance: Performance;

	// Cryptography

	type AlgorithmIdentifier = string | { name: string; [parameter: string]: unknown };
	interface JsonWebKey {
		kty?: string;
		[member: string]: unknown;
	}
	type KeyFormat = "raw" | "pkcs8" | "spki";
	class CryptoKey {
		private constructor();
		readonly type: "public" | "private" | "secret";
		readonly extractable: boolean;
		readonly algorithm: { name: string; [parameter: string]: unknown };
		readonly usages: string[];
	}
	interface CryptoKeyPair {
		publicKey: CryptoKey;
		privateKey: CryptoKey;
	}
	class SubtleCrypto {
		private constructor();
		decrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
		deriveBits(algorithm: AlgorithmIdentifier, key: CryptoKey, length?: number | null): Promise<ArrayBuffer>;
		deriveKey(
			algorithm: AlgorithmIdentifier,
			key: CryptoKey,
			derived: AlgorithmIdentifier,
			extractable: boolean,
			usages: string[],
		): Promise<CryptoKey>;
		digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer>;
		encrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
		exportKey(format: "jwk", key: CryptoKey): Promise<JsonWebKey>;
		exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer>;
		generateKey(
			algorithm: AlgorithmIdentifier,
			extractable: boolean,
			usages: string[],
		): Promise<CryptoKey | CryptoKeyPair>;
		importKey(
			format: "jwk",
			data: JsonWebKey,
			algorithm: AlgorithmIdentifier,
			extractable: boolean,
			usages: string[],
		): Promise<CryptoKey>;
		importKey(
			format: KeyFormat,
			data: BufferSource,
			algorithm: AlgorithmIdentifier,
			extractable: boolean,
			usages: string[],
		): Promise<CryptoKey>;
		sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
		/** Takes as long wherever the two differ. Throws TypeError where their lengths do. */
		timingSafeEqual(a: BufferSource, b: BufferSource): boolean;
		unwrapKey(
			format: KeyFormat | "jwk",
			wrapped: BufferSource,
			key: CryptoKey,
			algorithm: AlgorithmIdentifier,
			unwrapped: AlgorithmIdentifier,
			extractable: boolean,
			usages: string[],
		): Promise<CryptoKey>;
		verify(
			algorithm: AlgorithmIdentifier,
			key: CryptoKey,
			signature: BufferSource,
			data: BufferSource,
		): Promise<boolean>;
		wrapKey(
			format: KeyFormat | "jwk",
			key: CryptoKey,
			wrapping: CryptoKey,
			algorithm: AlgorithmIdentifier,
		): Promise<ArrayBuffer>;
	}
	class Crypto {
		private constructor();
		readonly subtle: SubtleCrypto;
		/** A WritableStream whose `digest` resolves once it is closed. */
		readonly DigestStream: new (
			algorithm: AlgorithmIdentifier,
		) => WritableStream<string | BufferSource> & {
			readonly digest: Promise<ArrayBuffer>;
			readonly bytesWritten: bigint;
		};
		getRandomValues<T extends ArrayBufferView>(array: T): T;
		randomUUID(): `${string}-${string}-${string}-${string}-${string}`;
	}
	const crypto: Crypto;

	// The rest

	function structuredClone<T>(value: T, options?: { transfer?: object[] }): T;
	const self: typeof globalThis;
	class Navigator {
		private constructor();
		readonly userAgent: string;
		readonly language: string;
		readonly hardwareConcurrency: number;
		/** Sends a POST of which nobody hears how it ends. */
		sendBeacon(url: string | URL, data?: BodyInit | null): boolean;
	}
	const navigator: Navigator;
	const Cloudflare: {
		/** The compatibility flags that are on, by their names: none. */
		readonly compatibilityFlags: Record<string, boolean>;
	};
	interface Console {
		assert(condition?: unknown, ...data: unknown[]): void;
		clear(): void;
		count(label?: string): void;
		countReset(label?: string): void;
		debug(...data: unknown[]): void;
		dir(value?: unknown, options?: object): void;
		dirxml(...data: unknown[]): void;
		error(...data: unknown[]): void;
		group(...data: unknown[]): void;
		groupCollapsed(...data: unknown[]): void;
		groupEnd(): void;
		info(...data: unknown[]): void;
		log(...data: unknown[]): void;
		table(data?: unknown, columns?: string[]): void;
		time(label?: string): void;
		timeEnd(label?: string): void;
		timeLog(label?: string, ...data: unknown[]): void;
		trace(...data: unknown[]): void;
		warn(...data: unknown[]): void;
	}
	const console: Console;
	/** As much of Deno as functions made for it need: https://docs.deno.com/api/deno/~/Deno.serve */
	namespace Deno {
		type ServeHandler = (request: Request, info: ServeInfo) => Response | Promise<Response>;
		interface ServeInfo {
			readonly remoteAddr: object;
			waitUntil(promise: Promise<unknown>): void;
		}
		interface HttpServer {
			readonly finished: Promise<void>;
			shutdown(): Promise<void>;
			ref(): void;
			unref(): void;
			readonly addr: { transport: "tcp"; hostname: string; port: number };
		}
		function serve(handler: ServeHandler): HttpServer;
		function serve(options: object, handler: ServeHandler): HttpServer;
		function serve(options: { handler: ServeHandler }): HttpServer;
		const env: {
			/** A variable of the function, as it was given. */
			get(name: string): unknown;
			toObject(): Record<string, unknown>;
		};
	}
	namespace WebAssembly {
		type ImportValue = ((...args: never[]) => unknown) | Global | Memory | Table | number | bigint;
		type Imports = Record<string, Record<string, ImportValue>>;
		// biome-ignore lint/suspicious/noExplicitAny: what a module exports is known to nobody but its author
		type Exports = Record<string, any>;
		class Module {
			constructor(bytes: BufferSource);
			static customSections(module: Module, name: string): ArrayBuffer[];
			static exports(module: Module): { kind: string; name: string }[];
			static imports(module: Module): { kind: string; module: string; name: string }[];
		}
		class Instance {
			constructor(module: Module, imports?: Imports);
			readonly exports: Exports;
		}
		class Memory {
			constructor(descriptor: { initial: number; maximum?: number });
			readonly buffer: ArrayBuffer;
			grow(pages: number): number;
		}
		class Table {
			constructor(descriptor: { element: "anyfunc" | "externref"; initial: number; maximum?: number });
			readonly length: number;
			get(index: number): unknown;
			grow(entries: number, value?: unknown): number;
			set(index: number, value?: unknown): void;
		}
		class Global<T = unknown> {
			constructor(descriptor: { value: "i32" | "i64" | "f32" | "f64" | "externref"; mutable?: boolean }, value?: T);
			value: T;
			valueOf(): T;
		}
		class CompileError extends Error {}
		class LinkError extends Error {}
		class RuntimeError extends Error {}
		function compile(bytes: BufferSource): Promise<Module>;
		function compileStreaming(source: Response | Promise<Response>): Promise<Module>;
		function instantiate(bytes: BufferSource, imports?: Imports): Promise<{ module: Module; instance: Instance }>;
		function instantiate(module: Module, imports?: Imports): Promise<Instance>;
		function instantiateStreaming(
			source: Response | Promise<Response>,
			imports?: Imports,
		): Promise<{ module: Module; instance: Instance }>;
		function validate(bytes: BufferSource): boolean;
	}
	interface ImportMeta {
		/** The function's environment, and in which mode it was built. */
		readonly env: Record<string, unknown> & {
			readonly MODE: string;
			readonly PROD: boolean;
			readonly DEV: boolean;
			readonly SSR: true;
			readonly BASE_URL: "/";
		};
	}

	// https://developers.cloudflare.com/workers/runtime-apis/html-rewriter/

	namespace HTMLRewriterTypes {
		/** Text, or what is read when it is its turn. */
		type Content = string | ReadableStream | Response;
		interface ContentOptions {
			html?: boolean;
		}
		interface Token {
			readonly removed: boolean;
			before(content: Content, options?: ContentOptions): this;
			after(content: Content, options?: ContentOptions): this;
			replace(content: Content, options?: ContentOptions): this;
			remove(): this;
		}
		interface Element extends Token {
			tagName: string;
			readonly attributes: IterableIterator<[string, string]>;
			readonly namespaceURI: string;
			getAttribute(name: string): string | null;
			hasAttribute(name: string): boolean;
			setAttribute(name: string, value: string): this;
			removeAttribute(name: string): this;
			prepend(content: Content, options?: ContentOptions): this;
			append(content: Content, options?: ContentOptions): this;
			setInnerContent(content: Content, options?: ContentOptions): this;
			removeAndKeepContent(): this;
			onEndTag(handler: (end: Token & { name: string }) => unknown): void;
		}
		interface Handlers {
			element?(element: Element): unknown;
			comments?(comment: Token & { text: string }): unknown;
			text?(text: Token & { readonly text: string; readonly lastInTextNode: boolean }): unknown;
		}
		interface DocumentHandlers extends Pick<Handlers, "comments" | "text"> {
			doctype?(doctype: {
				readonly name: string | null;
				readonly publicId: string | null;
				readonly systemId: string | null;
			}): unknown;
			end?(end: { append(content: Content, options?: ContentOptions): unknown }): unknown;
		}
	}
	class HTMLRewriter {
		on(selector: string, handlers: HTMLRewriterTypes.Handlers): this;
		onDocument(handlers: HTMLRewriterTypes.DocumentHandlers): this;
		transform(response: Response): Response;
	}
}
