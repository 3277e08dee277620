import { existsSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { availableParallelism, totalmem } from "node:os";
import { relative, resolve } from "node:path";
import type { Duplex } from "node:stream";
import { Builder, type BuildRequest, type BuildResult } from "./build/builder.ts";
import type { BuildError } from "./build/problem.ts";
import { ArtifactStore } from "./cache/artifact-store.ts";
import { checkDeployment, checkOptions, type DeployOptions, type RuntimeOptions } from "./config/options.ts";
import { Deployments } from "./control/deployments.ts";
import { Owner } from "./control/owner.ts";
import { Version, type VersionSource } from "./control/version.ts";
import type { FetchedResponse } from "./effects/effects.ts";
import { Egress } from "./effects/egress.ts";
import { stripHopByHop } from "./effects/hop-by-hop.ts";
import { followRedirects, type Hop, without } from "./effects/redirects.ts";
import { FunctionError, UsageError } from "./errors.ts";
import type { Microseconds, SandboxSettings, SandboxStats, VersionNumber } from "./isolates/protocol.ts";
import { DEFAULT_OWNER_LIMITS, defaultLimits, type Limits, type OwnerLimits, resolveLimits } from "./limits/limits.ts";
import { Recycles } from "./limits/recycles.ts";
import { Observer } from "./observe/observer.ts";
import { parseLine, type Subscriber, type Trigger } from "./observe/record.ts";
import type { Containment } from "./sandbox/namespace.ts";
import { InlinePool, ProcessPool, type SandboxPool } from "./sandbox/pool.ts";
import { errorResponse } from "./server/error-response.ts";
import type { Chain, Exchange, ResponseSink } from "./server/exchange.ts";
import { fromRequest, toResponse } from "./server/fetch.ts";
import { FetchSink } from "./server/fetch-sink.ts";
import { Invocation, type InvocationContext } from "./server/invocation.ts";
import { nodeHandler, upgradeHandler } from "./server/node-handler.ts";
import { nextRequestId } from "./server/request-id.ts";
import { WebSockets } from "./server/web-sockets.ts";

/** What a deployment came to. */
export interface Deployed {
	/** The version's id: a hash of its artifact and settings. */
	version: string;
	/** The files it was built from, relative to the working directory. */
	inputs: string[];
	/** Whether the artifact was in the cache. */
	cached: boolean;
	/** Set where the function's top level failed when it was tried; requests will try again. */
	startFailure: string | null;
}

export interface RuntimeStats extends SandboxStats {
	/** Functions in service. */
	functions: number;
	/** Sandbox processes at work: those of the normal lane, the heavy lane and probation. 0 when inline. */
	sandboxes: number;
	/** How many sandboxes were lost and replaced. */
	restarts: number;
	/** Requests that are being worked on. */
	inFlight: number;
}

/** In development the processes that build are kept for an hour: whoever saves a file waits for them. */
const DEVELOPMENT_IDLE_MS = 3600_000;
/** Subrequests from function to function may go so deep. */
const MAX_DEPTH = 16;
/** One request from outside may lead to so many in all, itself included: else each of fifty would lead to fifty more. */
const MAX_INVOCATIONS = 32;
/** Milliseconds that `close` waits for requests in flight. */
const CLOSE_TIMEOUT = 30_000;

/** A running atoll: functions, their isolates, and the ways to reach them. Made by `createRuntime`. */
export class Runtime {
	readonly #builder: Builder;
	readonly #store: ArtifactStore;
	readonly #limits: Limits;
	readonly #development: boolean;
	readonly #deployments = new Deployments();
	readonly #observer: Observer;
	readonly #egress: Egress;
	readonly #maxLimits: Partial<Limits>;
	readonly #ownerLimits: OwnerLimits;
	readonly #owners = new Map<string, Owner>();
	readonly #context: InvocationContext;
	readonly #webSockets = new WebSockets();
	#pool!: SandboxPool;
	#nextVersion: VersionNumber = 1;
	#inFlight = 0;
	#closing: Promise<void> | null = null;
	#idle: (() => void) | null = null;

	/** @internal */
	private constructor(options: RuntimeOptions, store: ArtifactStore, builder: Builder) {
		this.#store = store;
		this.#builder = builder;
		this.#maxLimits = options.maxLimits ?? {};
		this.#limits = defaultLimits(options.limits, this.#maxLimits);
		this.#ownerLimits = { ...DEFAULT_OWNER_LIMITS, ...options.ownerLimits };
		this.#development = options.development ?? false;
		this.#observer = new Observer(options.logger ?? null);
		this.#egress = new Egress(options.egress);
		this.#context = {
			pool: undefined as unknown as SandboxPool,
			observer: this.#observer,
			recycles: new Recycles(options.recyclesPerMinute ?? 60),
			fetcher: ({ chain }) => ({
				perform: (request) => followRedirects(request, (hop) => this.#subrequest(hop, chain)),
				refusal: (url) => (this.#called(url) === undefined ? null : chainRefusal(chain)),
			}),
			development: this.#development,
			ended: () => {
				this.#inFlight--;
				if (this.#inFlight === 0) this.#idle?.();
			},
		};
	}

	/** @internal */
	static async create(given: RuntimeOptions): Promise<Runtime> {
		const options = checkOptions(given);
		const store = await ArtifactStore.open(resolve(options.data ?? ".atoll"));
		const builder = await Builder.create(store, options.development ? DEVELOPMENT_IDLE_MS : undefined);
		const runtime = new Runtime(options, store, builder);
		try {
			await runtime.#startPool(options);
			return runtime;
		} catch (error) {
			await Promise.all([builder.close(), runtime.#egress.close()]);
			throw error;
		}
	}

	async #startPool(options: RuntimeOptions): Promise<void> {
		const inline = options.isolation === "inline";
		const size = inline ? 1 : (options.sandboxes ?? Math.max(1, availableParallelism() - 1));
		const { maxIsolates = 1000, maxBytes = Math.floor(totalmem() / 4), parked = 4 } = options.cache ?? {};
		const settings: SandboxSettings = {
			snapshot: this.#builder.snapshot,
			maxIsolates: Math.max(1, Math.floor(maxIsolates / size)),
			maxBytes: Math.max(1, Math.floor(maxBytes / size)),
			maxProcessBytes: Math.max(2 ** 30, Math.floor((maxBytes / size) * 1.5)),
			parked,
			frozenClocks: options.frozenClocks ?? true,
		};
		const images = async (number: VersionNumber) => {
			const version = this.#deployments.byNumber(number);
			if (version === undefined) throw new Error("the version is no longer deployed");
			return version.image();
		};
		const events = {
			log: (number: VersionNumber, text: string) => this.#strayLog(number, text),
			notice: (level: "info" | "warn" | "error", message: string) => this.#observer.notice(level, {}, message),
		};
		this.#pool = inline
			? await InlinePool.start(settings, images, events)
			: await ProcessPool.start(size, settings, images, events);
		this.#context.pool = this.#pool;
	}

	/** A line that a function wrote outside of any request. */
	#strayLog(number: VersionNumber, text: string): void {
		const version = this.#deployments.byNumber(number);
		if (version === undefined) return;
		const { level, message } = parseLine(text);
		this.#observer.log(version.logLine("", level, message));
	}

	/**
	 * Builds a function and puts it into service; the version before it, if any, finishes the requests that it has.
	 * Throws UsageError for options that make no sense, and BuildError with every problem of the source; nothing has
	 * changed then.
	 */
	async deploy(given: DeployOptions): Promise<Deployed> {
		this.#refuseIfClosing();
		const options = checkDeployment(given);
		this.#deployments.claim(options.name, options.hostnames);
		const limits = resolveLimits(options.limits, this.#limits, this.#maxLimits);
		const entry = resolve(options.entry);
		if (!existsSync(entry) || !statSync(entry).isFile())
			throw new UsageError(`${relative(process.cwd(), entry)}: there is no such file`);
		const request: BuildRequest = {
			name: options.name,
			entry,
			env: options.env ?? {},
			limits,
			development: this.#development,
		};
		const built = await this.#builder.build(request);
		this.#refuseIfClosing();
		const { key } = built.artifact;
		const source: VersionSource = {
			// Where an artifact is no longer whole on disk it is made again; its key then says whether the source is still the same.
			artifact: async () => (await this.#store.artifact(key)) ?? (await this.#rebuild(request, built)),
			sourceMap: () => this.#store.sourceMap(key),
		};
		const id = key.slice(0, 12);
		this.#put(options, limits, id, source, built.artifact.startUs);
		return {
			version: id,
			inputs: built.inputs,
			cached: built.cached,
			startFailure: built.artifact.failure?.message ?? null,
		};
	}

	async #rebuild(request: BuildRequest, { artifact }: BuildResult) {
		const again = await this.#builder.build(request);
		if (again.artifact.key !== artifact.key)
			throw new Error("the artifact on disk is damaged, and the source has changed since: deploy the function again");
		return again.artifact;
	}

	/**
	 * Puts a function into service that could not be built: its hostnames answer `startup_failed` until it is deployed
	 * again. For a server that starts with many functions, one of which is broken.
	 */
	deployBroken(given: DeployOptions, error: BuildError): void {
		const options = checkDeployment(given);
		this.#put(options, this.#limits, "", new FunctionError("startup_failed", error.message), 0);
	}

	#put(
		options: DeployOptions,
		limits: Limits,
		id: string,
		source: VersionSource | FunctionError,
		startUs: Microseconds,
	): void {
		const patterns = this.#deployments.claim(options.name, options.hostnames);
		const version = new Version(
			this.#nextVersion++,
			options.name,
			options.owner === undefined ? null : this.#owner(options.owner),
			id,
			limits,
			options.env ?? {},
			source,
			startUs,
		);
		const before = this.#deployments.put(version, patterns);
		if (before !== undefined) this.#pool.unload(before.number);
	}

	#owner(name: string): Owner {
		let owner = this.#owners.get(name);
		if (owner === undefined) {
			owner = new Owner(name, this.#owners.size + 1, this.#ownerLimits);
			this.#owners.set(name, owner);
		}
		return owner;
	}

	/** Takes a function out of service; requests that it has are finished. Returns whether there was one of that name. */
	async remove(name: string): Promise<boolean> {
		const version = this.#deployments.remove(name);
		if (version !== undefined) this.#pool.unload(version.number);
		return version !== undefined;
	}

	/** Answers a request as the server would, by the hostname in its URL. Rejects only if the response breaks off before it begins. */
	readonly fetch = async (request: Request): Promise<Response> => {
		const sink = new FetchSink();
		const { exchange, accept } = fromRequest(request);
		const running = this.#dispatch(nextRequestId(), exchange, sink, accept, "fetch");
		const abort = () => {
			running?.abort();
			sink.cut();
		};
		sink.onGone = () => running?.abort();
		request.signal.addEventListener("abort", abort, { once: true });
		return toResponse(await sink.response);
	};

	/** A listener for `node:http`: `http.createServer(runtime.nodeHandler)`. */
	readonly nodeHandler: (req: IncomingMessage, res: ServerResponse, expectsContinue?: boolean) => void = nodeHandler(
		(requestId, request, sink, accept) => this.#dispatch(requestId, request, sink, accept, "http"),
		(hostname) => this.#deployments.find(hostname)?.limits.requestBodyBytes ?? this.#limits.requestBodyBytes,
	);

	/** A listener for upgrades of `node:http`, which functions answer with a WebSocket: `server.on("upgrade", runtime.upgradeHandler)`. */
	readonly upgradeHandler: (req: IncomingMessage, socket: Duplex, head: Buffer) => void = upgradeHandler(
		(requestId, request, sink, accept) => this.#dispatch(requestId, request, sink, accept, "http"),
		(req, socket, head) => this.#webSockets.sink(req, socket, head),
	);

	/** Tells the clients of all WebSockets that the server goes away. */
	closeWebSockets(): void {
		this.#webSockets.close();
	}

	/** From a request to the invocation of the function that serves its hostname. Returns what can be aborted, if anything runs. */
	#dispatch(
		requestId: string,
		request: Exchange | FunctionError,
		sink: ResponseSink,
		accept: string,
		trigger: Trigger,
	): Invocation | null {
		try {
			if (request instanceof FunctionError) throw request;
			const version = this.#deployments.lookup(request.hostname);
			const invocation = new Invocation(this.#context, version, request, sink, requestId, trigger, accept);
			this.#inFlight++;
			invocation.start();
			return invocation;
		} catch (error) {
			if (!(error instanceof FunctionError)) throw error;
			this.#reject(error, requestId, request, sink, accept, trigger);
			return null;
		}
	}

	/** Answers a request that reaches no function, and records it. */
	#reject(
		error: FunctionError,
		requestId: string,
		request: Exchange | FunctionError,
		sink: ResponseSink,
		accept: string,
		trigger: Trigger,
	): void {
		const { head, body } = errorResponse(error, requestId, accept, null);
		head.headers.push("x-atoll-request-id", requestId);
		sink.respond(head, body);
		const exchange = request instanceof FunctionError ? null : request;
		this.#observer.record({
			time: new Date().toISOString(),
			requestId,
			function: "",
			version: "",
			hostname: exchange?.hostname ?? "",
			trigger,
			method: exchange?.method ?? "",
			status: error.status,
			outcome: error.code,
			cold: false,
			startMs: 0,
			cpuMs: 0,
			wallMs: 0,
			requestBytes: 0,
			responseBytes: body.byteLength,
			subrequests: 0,
			memoryBytes: 0,
			exceeded: {},
			attempts: 0,
		});
	}

	/** The URL of a subrequest that goes to a function of this runtime. */
	#called(target: string): URL | undefined {
		const url = URL.parse(target);
		if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
		return this.#deployments.find(url.hostname) === undefined ? undefined : url;
	}

	/** One request of a function's `fetch`: to another function of this runtime without leaving the process, else to the network. */
	async #subrequest(hop: Hop, chain: Chain): Promise<FetchedResponse> {
		const url = this.#called(hop.url);
		if (url === undefined) return this.#egress.send(hop);
		const refusal = chainRefusal(chain);
		if (refusal !== null) throw new Error(refusal);
		const { depth, total } = chain;
		total.invocations++;
		const headers = without(stripHopByHop(hop.headers), (name) => name === "host");
		headers.push("host", url.host);
		url.hash = "";
		const sink = new FetchSink();
		const exchange: Exchange = {
			method: hop.method,
			url: url.href,
			hostname: url.hostname,
			headers,
			body: hop.content,
			client: null,
			chain: { depth: depth + 1, total },
		};
		const running = this.#dispatch(nextRequestId(), exchange, sink, "", "subrequest");
		sink.onGone = () => running?.abort();
		hop.signal.addEventListener("abort", () => {
			running?.abort();
			sink.cut();
		});
		return sink.response;
	}

	/** Hears of every request and of every line that functions log. Returns the function that ends the subscription. */
	subscribe(subscriber: Subscriber): () => void {
		return this.#observer.subscribe(subscriber);
	}

	/** What the runtime holds and has done, as of now; figures of the isolates as of their sandbox's last word. */
	stats(): RuntimeStats {
		return { functions: this.#deployments.size, inFlight: this.#inFlight, ...this.#pool.stats() };
	}

	/**
	 * Which of the operating system's layers are on around the sandboxes, on top of processes of their own and Node's permission
	 * model; `null` when inline.
	 */
	get containment(): Containment | null {
		return this.#pool.containment;
	}

	/** Process ids of the sandboxes, the spare included; none when inline. For operators and tests. */
	sandboxPids(): number[] {
		return this.#pool.pids();
	}

	#refuseIfClosing(): void {
		if (this.#closing !== null) throw new UsageError("the runtime is closed");
	}

	/** Finishes the requests in flight, for 30 seconds at most, and ends every process that the runtime has started. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		this.closeWebSockets();
		if (this.#inFlight > 0) {
			const { promise, resolve: idle } = Promise.withResolvers<void>();
			const timeout = setTimeout(idle, CLOSE_TIMEOUT);
			this.#idle = idle;
			await promise;
			clearTimeout(timeout);
		}
		await Promise.all([this.#builder.close(), this.#pool.close(), this.#egress.close()]);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}
}

/** Why a request may not lead to another one at a function. */
function chainRefusal({ depth, total }: Chain): string | null {
	if (depth === MAX_DEPTH) return `functions have called one another ${MAX_DEPTH} deep`;
	if (total.invocations === MAX_INVOCATIONS)
		return `one request has already led to ${MAX_INVOCATIONS} requests among functions`;
	return null;
}
