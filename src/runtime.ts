import { realpathSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { availableParallelism, totalmem } from "node:os";
import { relative, resolve } from "node:path";
import type { Duplex } from "node:stream";
import { Egress } from "./bindings/fetch/edge/egress.ts";
import { Builder, type BuildRequest, type BuildResult } from "./build/builder.ts";
import { holds, outermost } from "./build/view.ts";
import { idOf } from "./cache/artifact.ts";
import { ArtifactStore } from "./cache/artifact-store.ts";
import { Pruner } from "./cache/pruner.ts";
import {
	type CheckedDeployment,
	checkDeployment,
	checkFunctionId,
	checkOptions,
	type DeployOptions,
	type RuntimeOptions,
} from "./config/options.ts";
import { Deployments } from "./control/deployments.ts";
import { Tenant } from "./control/tenant.ts";
import { Version, type VersionSettings, type VersionSource } from "./control/version.ts";
import { FunctionError, UsageError } from "./errors.ts";
import { Decompressor } from "./helpers/decompressor.ts";
import { StackMapper } from "./helpers/stack-mapper.ts";
import { Account } from "./limits/account.ts";
import {
	DEFAULT_TENANT_LIMITS,
	defaultLimits,
	type Limits,
	resolveLimits,
	type TenantLimits,
} from "./limits/limits.ts";
import { Recycles } from "./limits/recycles.ts";
import type { SandboxSettings, SandboxStats, VersionNumber } from "./link/protocol.ts";
import { DEFAULT_TENANT, type TenantName } from "./names.ts";
import { Guard } from "./observe/guard.ts";
import { Observer } from "./observe/observer.ts";
import type { Subscriber } from "./observe/record.ts";
import { Cordons } from "./pool/cordons.ts";
import { InlinePool } from "./pool/inline-pool.ts";
import type { SandboxPool } from "./pool/pool.ts";
import type { Containment } from "./processes/containment.ts";
import { ControlGroups } from "./processes/control-groups.ts";
import { Launcher } from "./processes/launcher.ts";
import { Dispatcher } from "./server/dispatcher.ts";
import { fromRequest, toResponse } from "./server/fetch.ts";
import { FetchSink } from "./server/fetch-sink.ts";
import { FunctionLog } from "./server/function-log.ts";
import { nodeHandler } from "./server/node-handler.ts";
import { nextRequestId } from "./server/request-id.ts";
import { upgradeHandler } from "./server/upgrade.ts";
import { WebSockets } from "./server/web-sockets.ts";
import type { Bytes, Milliseconds } from "./units.ts";

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
	/** How often something went wrong in the edge itself, each of which the log has with its stack. 0 is as it should be. */
	faults: number;
	/** Steps that were taken outside of the edge to decompress bodies of subrequests. */
	decompressions: number;
	/** Stacks and source maps that were read outside of the edge. */
	mappings: number;
	/**
	 * What the edge holds for functions and their clients, in bytes: bodies, responses and messages that wait to be
	 * taken.
	 */
	heldBytes: Bytes;
}

/** In development the processes that build are kept for an hour: whoever saves a file waits for them. */
const DEVELOPMENT_IDLE_MS = 3600_000;
/** What the edge may hold by default: such a share of the machine's memory, but no less and no more than this. */
const HELD_SHARE = 1 / 16;
const LEAST_HELD: Bytes = 64 * 2 ** 20;
const MOST_HELD: Bytes = 512 * 2 ** 20;
/** What artifacts may take on disk. */
const MOST_ON_DISK: Bytes = 2 * 2 ** 30;
/** So much of functions' images may wait for a sandbox that is busy. */
const MOST_SENT_AHEAD: Bytes = 64 * 2 ** 20;
const STALLED_CLIENT_MS: Milliseconds = 30_000;
/** `close` waits so long for requests in flight. */
const CLOSE_TIMEOUT: Milliseconds = 30_000;

/** A running atoll: functions, their isolates, and the ways to reach them. Made by `createRuntime`. */
export class Runtime {
	readonly #launcher: Launcher;
	readonly #builder: Builder;
	readonly #store: ArtifactStore;
	readonly #pruner: Pruner;
	readonly #limits: Limits;
	readonly #development: boolean;
	/** The folders that functions are built from, by real paths; `null` for any. */
	readonly #sources: string[] | null;
	readonly #deployments = new Deployments();
	readonly #observer: Observer;
	readonly #mapper: StackMapper;
	readonly #log: FunctionLog;
	readonly #decompressor: Decompressor;
	readonly #egress: Egress;
	readonly #maxLimits: Partial<Limits>;
	readonly #tenantLimits: TenantLimits;
	readonly #tenants = new Map<TenantName, Tenant>();
	readonly #account: Account;
	readonly #stalledMs: Milliseconds;
	/** @internal */
	readonly guard = new Guard((fields, message) => this.#observer.notice("error", fields, message));
	readonly #webSockets: WebSockets;
	/** @internal What the server holds of heads that have not come in whole. */
	readonly unfinished: Account;
	#pool!: SandboxPool;
	#dispatcher!: Dispatcher;
	#nextVersion: VersionNumber = 1;
	#closing: Promise<void> | null = null;

	/** @internal */
	private constructor(options: RuntimeOptions, launcher: Launcher, store: ArtifactStore, builder: Builder) {
		this.#launcher = launcher;
		this.#store = store;
		this.#builder = builder;
		this.#maxLimits = options.maxLimits ?? {};
		this.#limits = defaultLimits(options.limits, this.#maxLimits);
		this.#tenantLimits = { ...DEFAULT_TENANT_LIMITS, ...options.tenantLimits };
		this.#sources = options.sources === undefined ? null : outermost(options.sources);
		this.#development = options.development ?? false;
		const held = Math.min(MOST_HELD, Math.max(LEAST_HELD, Math.floor(totalmem() * HELD_SHARE)));
		this.#account = Account.ofAll(options.maxHeldBytes ?? held);
		this.unfinished = this.#account.part();
		this.#stalledMs = options.stalledClientMs ?? STALLED_CLIENT_MS;
		this.#webSockets = new WebSockets(this.guard, this.#stalledMs);
		this.#observer = new Observer(options.logger ?? null);
		this.#pruner = new Pruner(store, {
			maxBytes: options.cache?.maxDiskBytes ?? MOST_ON_DISK,
			deployed: () => this.#deployments.ids(),
			onPruned: (removed) => this.#observer.notice("info", removed, "artifacts that nobody used were removed"),
			onFailed: ({ message }) => this.#observer.notice("warn", {}, `artifacts cannot be looked through: ${message}`),
		});
		this.#mapper = new StackMapper(launcher);
		this.#log = new FunctionLog(this.#observer, this.#mapper);
		this.#decompressor = new Decompressor(launcher);
		this.#egress = new Egress(options.egress, this.#decompressor, ({ origin }, error) =>
			this.guard.fault({ describe: () => ({ origin }), cut: () => undefined }, error),
		);
	}

	/** @internal */
	static async create(given: RuntimeOptions): Promise<Runtime> {
		const options = checkOptions(given);
		const store = await ArtifactStore.open(resolve(options.data ?? ".atoll"));
		const launcher = new Launcher();
		if (options.cgroup !== undefined) launcher.groups = new ControlGroups(resolve(options.cgroup));
		if (options.isolation !== "inline") launcher.start();
		try {
			const builder = await Builder.create(store, launcher, {
				idleMs: options.development ? DEVELOPMENT_IDLE_MS : undefined,
				folders: options.sources === undefined ? null : outermost(options.sources),
			});
			const runtime = new Runtime(options, launcher, store, builder);
			await runtime.#start(options).catch(async (error: Error) => {
				await Promise.all([builder.close(), runtime.#egress.close(), runtime.#closeHelpers(), runtime.#pruner.close()]);
				throw error;
			});
			return runtime;
		} catch (error) {
			await launcher.close();
			throw error;
		}
	}

	async #start(options: RuntimeOptions): Promise<void> {
		const inline = options.isolation === "inline";
		const size = inline ? 1 : (options.sandboxes ?? Math.max(1, availableParallelism() - 1));
		const { maxIsolates = 1000, maxBytes = Math.floor(totalmem() / 4), parked = 4 } = options.cache ?? {};
		const settings: SandboxSettings = {
			snapshot: this.#builder.snapshot,
			maxIsolates: Math.max(1, Math.floor(maxIsolates / size)),
			maxBytes: Math.max(1, Math.floor(maxBytes / size)),
			maxProcessBytes: Math.max(2 ** 30, Math.floor((maxBytes / size) * 1.5)),
			// What is sent to it is on somebody's account, but for the functions themselves.
			maxUnreadBytes: this.#account.most + MOST_SENT_AHEAD,
			parked,
			memoryMb: this.#limits.memoryMb,
			frozenClocks: options.frozenClocks ?? true,
		};
		const recycles = new Recycles(options.recyclesPerMinute ?? 60);
		const images = async (number: VersionNumber) => {
			const version = this.#deployments.byNumber(number);
			if (version === undefined) throw new Error("the version is no longer deployed");
			return version.image();
		};
		const events = {
			log: (number: VersionNumber, text: string) => this.#strayLog(number, text),
			culprit: (number: VersionNumber) => {
				const now = Date.now();
				this.#deployments.byNumber(number)?.strike(now);
				recycles.note(now);
			},
			notice: (level: "info" | "warn" | "error", message: string) => this.#observer.notice(level, {}, message),
		};
		this.#pool = inline
			? await InlinePool.start(settings, images, events)
			: await Cordons.start({ launcher: this.#launcher, size, settings, images, events });
		void this.#pruner.run();
		this.#dispatcher = new Dispatcher({
			deployments: this.#deployments,
			pool: this.#pool,
			egress: this.#egress,
			observer: this.#observer,
			guard: this.guard,
			log: this.#log,
			mapper: this.#mapper,
			recycles,
			development: this.#development,
		});
	}

	/** A line that a function wrote outside of any request. */
	#strayLog(number: VersionNumber, text: string): void {
		const version = this.#deployments.byNumber(number);
		const line = version?.strayLine(text);
		if (version !== undefined && line) this.#log.write(line, version, version.strayOrder);
	}

	/**
	 * Builds a function and puts it into service; the version before it, if any, finishes the requests that it has.
	 * Throws UsageError for options that make no sense and for hostnames that it cannot have, and BuildError with
	 * every problem of the source; nothing has changed then.
	 */
	async deploy(given: DeployOptions): Promise<Deployed> {
		this.#refuseIfClosing();
		const options = checkDeployment(given);
		const hostnames = this.#deployments.claims.claim(options, options.hostnames);
		try {
			return await this.#build(options, hostnames);
		} catch (error) {
			this.#deployments.claims.release(hostnames);
			throw error;
		}
	}

	async #build(options: CheckedDeployment, hostnames: string[]): Promise<Deployed> {
		const limits = resolveLimits(options.limits, this.#limits, this.#maxLimits);
		const entry = resolve(options.entry);
		if (!statSync(entry, { throwIfNoEntry: false })?.isFile())
			throw new UsageError(`${relative(process.cwd(), entry)}: there is no such file`);
		if (options.root !== undefined && !statSync(options.root, { throwIfNoEntry: false })?.isDirectory())
			throw new UsageError(`${options.root}: there is no such folder`);
		const folder = realpathSync(options.root ?? entry);
		if (this.#sources !== null && !this.#sources.some((source) => holds(source, folder)))
			throw new UsageError(
				`${relative(process.cwd(), folder)}: it is in none of the folders that functions are built from`,
			);
		const request: BuildRequest = {
			name: options.name,
			tenant: options.tenant === DEFAULT_TENANT ? undefined : options.tenant,
			entry,
			root: options.root === undefined ? undefined : resolve(options.root),
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
			sourceMap: (most) => this.#store.sourceMap(key, most),
		};
		const id = idOf(key);
		const { startUs } = built.artifact;
		this.#put(hostnames, {
			function: { tenant: options.tenant, name: options.name },
			env: options.env ?? {},
			limits,
			id,
			source,
			startUs,
		});
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
	 * Puts a function into service that could not be deployed: those of its hostnames that it can have answer
	 * `startup_failed` until it is deployed again. For a server that starts with many functions, one of which is
	 * broken.
	 */
	deployBroken(given: Pick<DeployOptions, "tenant" | "name" | "hostnames">, problem: string): void {
		this.#putInPlaceOf(given, new FunctionError("startup_failed", problem));
	}

	/**
	 * Has the hostnames of a function that is being deployed answer `building` until it is. For a server that starts
	 * with many functions, one of which takes long.
	 */
	deployUnbuilt(given: Pick<DeployOptions, "tenant" | "name" | "hostnames">): void {
		this.#putInPlaceOf(given, new FunctionError("building", undefined, { retryAfter: 1 }));
	}

	#putInPlaceOf(given: Pick<DeployOptions, "tenant" | "name" | "hostnames">, source: FunctionError): void {
		const of = checkFunctionId({ tenant: given.tenant, name: given.name });
		const { claims } = this.#deployments;
		const hostnames = claims.claim(of, claims.available(of, given.hostnames));
		this.#put(hostnames, { function: of, env: {}, limits: this.#limits, id: "", source, startUs: 0 });
	}

	/** Puts a version into service at hostnames that were claimed for it. */
	#put(hostnames: string[], settings: Omit<VersionSettings, "number" | "tenant" | "account">): void {
		const { tenant: name } = settings.function;
		// What the operator's own functions do counts for each of them alone.
		const tenant = name === DEFAULT_TENANT ? null : this.#tenant(name);
		const account = (tenant?.account ?? this.#account).part();
		const version = new Version({ ...settings, number: this.#nextVersion++, tenant, account });
		const before = this.#deployments.put(version, hostnames);
		if (before !== undefined) this.#pool.unload(before.number);
	}

	#tenant(name: TenantName): Tenant {
		let tenant = this.#tenants.get(name);
		if (tenant === undefined) {
			tenant = new Tenant(name, this.#tenants.size + 1, this.#tenantLimits, this.#account.part());
			this.#tenants.set(name, tenant);
		}
		return tenant;
	}

	/**
	 * Takes a function out of service and gives its hostnames back; requests that it has are finished. `tenant` is the
	 * operator's own if it is left out. Returns whether there was one of that name.
	 */
	async remove(given: { tenant?: TenantName; name: string }): Promise<boolean> {
		const version = this.#deployments.remove(checkFunctionId(given));
		if (version !== undefined) this.#pool.unload(version.number);
		return version !== undefined;
	}

	/** Answers a request as the server would, by the hostname in its URL. Rejects only if the response breaks off before it begins. */
	readonly fetch = async (request: Request): Promise<Response> => {
		const sink = new FetchSink({ method: request.method, reader: "program" });
		const { exchange, accept } = fromRequest(request);
		const running = this.#dispatcher.dispatch(nextRequestId(), exchange, sink, accept, "fetch");
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
		(requestId, request, sink, accept) => this.#dispatcher.dispatch(requestId, request, sink, accept, "http"),
		this.guard,
		{
			maxBody: (hostname) => this.#deployments.find(hostname)?.limits.requestBodyBytes ?? this.#limits.requestBodyBytes,
			account: (hostname) => this.#deployments.find(hostname)?.account ?? this.unfinished,
			stalledMs: () => this.#stalledMs,
		},
	);

	/** A listener for upgrades of `node:http`, which functions answer with a WebSocket: `server.on("upgrade", runtime.upgradeHandler)`. */
	readonly upgradeHandler: (req: IncomingMessage, socket: Duplex, head: Buffer) => void = upgradeHandler(
		(requestId, request, sink, accept) => this.#dispatcher.dispatch(requestId, request, sink, accept, "http"),
		this.guard,
		this.nodeHandler,
		(req, socket, head) => this.#webSockets.sink(req, socket, head),
	);

	/** @internal Records what a server refuses before there is a request. Returns the answer, for those that get one. */
	refuse(error: FunctionError, answered: boolean) {
		return this.#dispatcher.refuse(error, nextRequestId(), "http", { answered });
	}

	/** Tells the clients of all WebSockets that the server goes away. */
	closeWebSockets(): void {
		this.#webSockets.close();
	}

	/** Hears of every request and of every line that functions log. Returns the function that ends the subscription. */
	subscribe(subscriber: Subscriber): () => void {
		return this.#observer.subscribe(subscriber);
	}

	/** What the runtime holds and has done, as of now; figures of the isolates as of their sandbox's last word. */
	stats(): RuntimeStats {
		return {
			functions: this.#deployments.size,
			inFlight: this.#dispatcher.inFlight,
			heldBytes: this.#account.held,
			faults: this.guard.faults,
			decompressions: this.#decompressor.jobs,
			mappings: this.#mapper.jobs,
			...this.#pool.stats(),
		};
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
		await this.#dispatcher.drain(CLOSE_TIMEOUT);
		await Promise.all([this.#builder.close(), this.#pool.close(), this.#egress.close(), this.#closeHelpers()]);
		await this.#pruner.close();
		await this.#launcher.close();
	}

	async #closeHelpers(): Promise<void> {
		await Promise.all([this.#mapper.close(), this.#decompressor.close()]);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}
}
