import { realpathSync, statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { join, relative, resolve } from "node:path";
import { Egress } from "./bindings/fetch/edge/egress.ts";
import { Builder, type BuildResult } from "./build/builder.ts";
import { GivenBuilder, type GivenFiles, type GivenRequest } from "./build/given-files.ts";
import { holds, outermost } from "./build/view.ts";
import { type Artifact, idOf } from "./cache/artifact.ts";
import { ArtifactStore } from "./cache/artifact-store.ts";
import { Pruner } from "./cache/pruner.ts";
import {
	type CheckedDeployment,
	type CloseOptions,
	checkClose,
	checkDeployment,
	checkFetch,
	checkFunctionId,
	checkMount,
	checkOptions,
	checkSubscriber,
	type DeployOptions,
	type FetchOptions,
	type FunctionTarget,
	type MountOptions,
	type RuntimeOptions,
} from "./config/options.ts";
import { type Deployment, Deployments } from "./control/deployments.ts";
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
import { DEFAULT_TENANT, type FunctionName, type TenantName } from "./names.ts";
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
import { EVERYWHERE, type Mount } from "./server/mount.ts";
import { continueHandler, type ListenerSettings, nodeHandler } from "./server/node-handler.ts";
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

/** A function that is in service. */
export interface DeployedFunction {
	tenant: TenantName;
	name: FunctionName;
	/** Where it is reached, in their normal form. */
	hostnames: string[];
	/** The id of the version that serves it; empty where it could not be built. */
	version: string;
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

/** How a function is built, and built again. */
interface BuildPlan {
	build(): Promise<BuildResult>;
	rebuild(key: string): Promise<BuildResult>;
}

async function rebuilt(plan: BuildPlan, key: string): Promise<Artifact> {
	const { artifact } = await plan.rebuild(key);
	if (artifact.key !== key)
		throw new Error("the artifact on disk is damaged, and the source has changed since: deploy the function again");
	return artifact;
}

function describe({ hostnames, version: { function: id, id: version } }: Deployment): DeployedFunction {
	return { tenant: id.tenant, name: id.name, hostnames: [...hostnames], version };
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

/** A listener for everything, which makes one for some of it where it is given options. */
type Mountable<A extends unknown[]> = {
	(...args: A): void;
	(options: MountOptions): (...args: A) => void;
};

function mountable<A extends unknown[]>(name: string, listenerAt: (mount: Mount) => (...args: A) => void) {
	const everywhere = listenerAt(EVERYWHERE);
	return ((...args: A | [MountOptions]) =>
		args.length === 1 ? listenerAt(checkMount(args[0], name)) : everywhere(...(args as A))) as Mountable<A>;
}

/** A running atoll: functions, their isolates, and the ways to reach them. Made by `createRuntime`. */
export class Runtime {
	readonly #launcher: Launcher;
	readonly #builder: Builder;
	readonly #givenBuilder: GivenBuilder;
	readonly #store: ArtifactStore;
	readonly #pruner: Pruner;
	readonly #limits: Limits;
	readonly #development: boolean;
	/** Whether functions may import packages that lie above their roots. */
	readonly #packages: boolean;
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
	private constructor(
		options: RuntimeOptions,
		launcher: Launcher,
		store: ArtifactStore,
		builder: Builder,
		givenBuilder: GivenBuilder,
	) {
		this.#launcher = launcher;
		this.#store = store;
		this.#builder = builder;
		this.#givenBuilder = givenBuilder;
		this.#maxLimits = options.maxLimits ?? {};
		this.#limits = defaultLimits(options.limits, this.#maxLimits);
		this.#tenantLimits = { ...DEFAULT_TENANT_LIMITS, ...options.tenantLimits };
		this.#sources = options.sources === undefined ? null : outermost(options.sources);
		this.#packages = options.packages ?? true;
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
		const data = resolve(options.data ?? ".atoll");
		const store = await ArtifactStore.open(data);
		const givenFolder = join(data, "given");
		const launcher = new Launcher();
		if (options.cgroup !== undefined) launcher.groups = new ControlGroups(resolve(options.cgroup));
		if (options.isolation !== "inline") launcher.start();
		try {
			const builder = await Builder.create(store, launcher, {
				idleMs: options.development ? DEVELOPMENT_IDLE_MS : undefined,
				folders: options.sources === undefined ? null : [...outermost(options.sources), givenFolder],
			});
			const givenBuilder = await GivenBuilder.create(builder, store, givenFolder);
			const runtime = new Runtime(options, launcher, store, builder, givenBuilder);
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
			: await Cordons.start(this.#launcher, size, settings, images, events);
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
		const request: GivenRequest = {
			name: options.name,
			tenant: options.tenant === DEFAULT_TENANT ? undefined : options.tenant,
			packages: this.#packages,
			env: options.env ?? {},
			limits,
			development: this.#development,
		};
		const plan =
			options.given === undefined ? this.#planOf(options, request) : this.#planOfGiven(options.given, request);
		const built = await plan.build();
		this.#refuseIfClosing();
		const { key } = built.artifact;
		const source: VersionSource = {
			// Where an artifact is no longer whole on disk it is made again; its key then says whether the source is still the same.
			artifact: async () => (await this.#store.artifact(key)) ?? (await rebuilt(plan, key)),
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

	/** How a function whose source was given is built, now from what was given, later from what was kept of it. */
	#planOfGiven(given: GivenFiles, request: GivenRequest): BuildPlan {
		let first: GivenFiles | null = given;
		return {
			build: () => {
				const files = first as GivenFiles;
				first = null;
				return this.#givenBuilder.build(request, files);
			},
			rebuild: (key) => this.#givenBuilder.rebuild(request, key),
		};
	}

	/** How a function is built whose source lies in files. */
	#planOf(options: CheckedDeployment, request: GivenRequest): BuildPlan {
		if (!this.#packages && options.root === undefined)
			throw new UsageError("deploy: where packages is false, a function needs a root", "source_refused");
		const entry = resolve(options.entry ?? "");
		if (!statSync(entry, { throwIfNoEntry: false })?.isFile())
			throw new UsageError(`${relative(process.cwd(), entry)}: there is no such file`, "source_not_found");
		if (options.root !== undefined && !statSync(options.root, { throwIfNoEntry: false })?.isDirectory())
			throw new UsageError(`${options.root}: there is no such folder`, "source_not_found");
		const folder = realpathSync(options.root ?? entry);
		if (this.#sources !== null && !this.#sources.some((source) => holds(source, folder)))
			throw new UsageError(
				`${relative(process.cwd(), folder)}: it is in none of the folders that functions are built from`,
				"source_refused",
			);
		const root = options.root === undefined ? undefined : resolve(options.root);
		const build = () => this.#builder.build({ ...request, entry, root });
		return { build, rebuild: build };
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
		this.#refuseIfClosing();
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
	 * operator's own if it is left out. Returns whether there was one of that name. Throws UsageError once the runtime is
	 * closing.
	 */
	async remove(given: { tenant?: TenantName; name: string }): Promise<boolean> {
		this.#refuseIfClosing();
		const version = this.#deployments.remove(checkFunctionId(given));
		if (version !== undefined) this.#pool.unload(version.number);
		return version !== undefined;
	}

	/** What is in service, in no order. Throws UsageError once the runtime is closing. */
	list(): DeployedFunction[] {
		this.#refuseIfClosing();
		return [...this.#deployments.all()].map(describe);
	}

	/** One function that is in service, or `null`. Throws UsageError once the runtime is closing. */
	get(given: FunctionTarget): DeployedFunction | null {
		this.#refuseIfClosing();
		const deployment = this.#deployments.get(checkFunctionId(typeof given === "string" ? { name: given } : given));
		return deployment === undefined ? null : describe(deployment);
	}

	/**
	 * Answers a request as the server would: at the function that has the hostname of its URL, or the one that is named
	 * beside it. It takes what the global `fetch` takes. Rejects if the response breaks off before it begins, and with
	 * TypeError or UsageError for what is no request.
	 */
	readonly fetch = async (
		input: Request | URL | string,
		init?: RequestInit,
		options: FetchOptions = {},
	): Promise<Response> => {
		const ends = checkFetch(options);
		const request =
			typeof input === "string" || input instanceof URL || init !== undefined ? new Request(input, init) : input;
		const sink = new FetchSink({ method: request.method, reader: "program" });
		const { exchange, accept } = fromRequest(request, ends);
		const running = this.#dispatcher.dispatch(nextRequestId(), exchange, sink, accept, "fetch");
		const abort = () => {
			running?.abort();
			sink.cut();
		};
		sink.onGone = () => running?.abort();
		request.signal.addEventListener("abort", abort, { once: true });
		return toResponse(await sink.response);
	};

	/**
	 * A listener for `node:http`, and a handler for Express: `http.createServer(runtime.nodeHandler)`,
	 * `app.use(runtime.nodeHandler)`. Given options, it makes such a listener for one function, or below a path:
	 * `app.use(runtime.nodeHandler({ function: "shop", prefix: "/shop" }))`.
	 *
	 * What it is given as third argument is called where a request is for no function of this runtime. A body that was
	 * read before is taken from `req.rawBody` or `req.body`, and refused with `body_consumed` where neither is there.
	 */
	readonly nodeHandler = mountable("nodeHandler", (mount) => nodeHandler(this.#listenerSettings(mount)));

	/**
	 * A listener for `checkContinue` of `node:http`, for clients that ask before they send a body:
	 * `server.on("checkContinue", runtime.continueHandler)`. Without it they are all told to send it.
	 */
	readonly continueHandler = mountable("continueHandler", (mount) => continueHandler(this.#listenerSettings(mount)));

	/**
	 * A listener for upgrades of `node:http`, which functions answer with a WebSocket: `server.on("upgrade",
	 * runtime.upgradeHandler)`. Given options, it makes one for a function, or below a path, as `nodeHandler` does.
	 */
	readonly upgradeHandler = mountable("upgradeHandler", (mount) => {
		const settings = this.#listenerSettings(mount);
		return upgradeHandler(settings, nodeHandler(settings), (...of) => this.#webSockets.sink(...of));
	});

	#listenerSettings(mount: Mount): ListenerSettings {
		return {
			dispatch: (requestId, request, sink, accept) =>
				this.#dispatcher.dispatch(requestId, request, sink, accept, "http"),
			guard: this.guard,
			bounds: {
				serves: (exchange) => this.#deployments.find(exchange) !== undefined,
				maxBody: (exchange) =>
					this.#deployments.find(exchange)?.limits.requestBodyBytes ?? this.#limits.requestBodyBytes,
				account: (exchange) => this.#deployments.find(exchange)?.account ?? this.unfinished,
				stalledMs: () => this.#stalledMs,
			},
			mount,
		};
	}

	/** Tells the clients of all WebSockets that the server goes away. */
	closeWebSockets(): void {
		this.#webSockets.close();
	}

	/**
	 * Hears of every request and of every line that functions log; what it throws is logged, and is no request's end.
	 * Returns the function that ends the subscription. Throws UsageError for what is no subscriber.
	 */
	subscribe(subscriber: Subscriber): () => void {
		checkSubscriber(subscriber);
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
		if (this.#closing !== null) throw new UsageError("the runtime is closed", "closed");
	}

	/**
	 * Takes no request from now on (503 `shutting_down`, and over a connection that ends with it) and no deployment,
	 * finishes the requests in flight, and ends every process that the runtime has started. Called again, it is the same
	 * closing. Throws UsageError for options that make no sense.
	 */
	close(options: CloseOptions = {}): Promise<void> {
		const { timeoutMs = CLOSE_TIMEOUT } = checkClose(options);
		this.#closing ??= this.#close(timeoutMs);
		return this.#closing;
	}

	async #close(timeout: Milliseconds): Promise<void> {
		this.closeWebSockets();
		await this.#dispatcher.drain(timeout);
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
