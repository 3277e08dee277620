import { mkdir } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Sites } from "./assets/sites.ts";
import { Bindings } from "./bindings/edges.ts";
import { Egress } from "./bindings/fetch/edge/egress.ts";
import { Builder } from "./build/builder.ts";
import { GivenBuilder } from "./build/given-files.ts";
import { outermost } from "./build/view.ts";
import { ArtifactStore } from "./cache/artifact-store.ts";
import { Pruner } from "./cache/pruner.ts";
import { checkDeployment, checkUpload, type DeployOptions, type UploadOptions } from "./config/deployment.ts";
import { checkEvent } from "./config/event.ts";
import { checkFetch, type FetchOptions } from "./config/fetch.ts";
import { checkFunctionId, type FunctionTarget } from "./config/function-target.ts";
import { type CloseOptions, checkClose, checkOptions, type RuntimeOptions } from "./config/runtime.ts";
import { checkSubscriber } from "./config/subscriber.ts";
import { type Deployed, Deployer, type ReleaseSettings } from "./deployments/deployer.ts";
import { Deployments } from "./deployments/deployments.ts";
import { Desired } from "./deployments/desired.ts";
import type { EdgeFunction } from "./deployments/function.ts";
import type { Release } from "./deployments/release.ts";
import type { ReleasedVersion } from "./deployments/released-version.ts";
import { SiteFiles } from "./deployments/site-files.ts";
import type { Built, Upload } from "./deployments/version-builder.ts";
import { FunctionError, UsageError } from "./errors.ts";
import { Decompressor } from "./helpers/decompressor.ts";
import { mappedProfile } from "./helpers/profile-mapper.ts";
import { StackMapper } from "./helpers/stack-mapper.ts";
import { DispatchedEvent, type DispatchedFrom } from "./invocation/dispatched-event.ts";
import type { EventTypes } from "./invocation/event-type.ts";
import { EVENT_TYPES } from "./invocation/event-types.ts";
import { type CloudEvent, type CloudEventResult, eventOf } from "./invocation/events/event.ts";
import { messageOf, type QueueEvent, type QueueResult } from "./invocation/events/queue.ts";
import type { ScheduledEvent, ScheduledResult } from "./invocation/events/scheduled.ts";
import type { StorageEvent } from "./invocation/events/storage.ts";
import { FunctionLog } from "./invocation/function-log.ts";
import { Placement } from "./invocation/placement.ts";
import { Account } from "./limits/account.ts";
import { DEFAULT_TENANT_LIMITS, defaultLimits, type Limits, type TenantLimits } from "./limits/limits.ts";
import { Recycles } from "./limits/recycles.ts";
import { Refusals } from "./limits/refusals.ts";
import type { SandboxSettings, VersionNumber } from "./link/protocol.ts";
import type { FunctionId, FunctionName, TenantName } from "./names.ts";
import { Guard } from "./observe/guard.ts";
import { Observer } from "./observe/observer.ts";
import type { InvocationRecord, Outcome, Subscriber, Watcher } from "./observe/record.ts";
import type { Culprit, MachineState, RuntimeStats } from "./observe/runtime-stats.ts";
import { readTrace, withTrace } from "./observe/trace-context.ts";
import { Tracer } from "./observe/tracer.ts";
import { Cordons } from "./pool/cordons.ts";
import { InlinePool } from "./pool/inline-pool.ts";
import type { SandboxPool } from "./pool/pool.ts";
import type { ProfileBounds } from "./pool/profile.ts";
import type { Containment } from "./processes/containment.ts";
import { ControlGroups } from "./processes/control-groups.ts";
import { Launcher } from "./processes/launcher.ts";
import { normalizeHostname } from "./router/hostname.ts";
import { Dispatcher } from "./server/dispatcher.ts";
import { fromRequest, toResponse } from "./server/fetch.ts";
import { FetchSink } from "./server/fetch-sink.ts";
import type { Handlers } from "./server/http-server.ts";
import { Listeners, type NodeHandler, type UpgradeHandler } from "./server/listeners.ts";
import { nextRequestId } from "./server/request-id.ts";
import { sendRequest } from "./server/sent-request.ts";
import { SiteDelivery } from "./server/site-delivery.ts";
import { receiving } from "./sources/receiver.ts";
import { Sources } from "./sources/sources.ts";
import { DataProcesses, settledCount } from "./stores/data-processes.ts";
import { SqlProcesses } from "./stores/sql-processes.ts";
import type { LeasedInvocation } from "./triggers/invocation-calls.ts";
import { MOST_RESULT, type Performed } from "./triggers/invocation-work.ts";
import { isSeen, TriggerSources } from "./triggers/trigger-sources.ts";
import type { Bytes, Milliseconds } from "./units.ts";

/** What came of an event that was dispatched. */
export interface Dispatched<Result> {
	/** `ok`, or an error's code: `no_handler` where the function has none for such an event. */
	outcome: Outcome;
	/** What went wrong, for whoever operates the function; `null` where nothing did. */
	error: string | null;
	/** What becomes of the event. */
	result: Result;
	/** The invocation's record, as subscribers get it. */
	record: InvocationRecord;
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

function describe({ tenant, name, hostnames, release }: EdgeFunction): DeployedFunction {
	return { tenant, name, hostnames: [...hostnames], version: release.shares[0].version.id };
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
/** So many functions that have cost a sandbox are named. */
const MOST_CULPRITS = 20;
/** An event that is dispatched may have the edge hold so much: its head, its data. */
const MOST_OF_EVENT: Bytes = 2 ** 20;
const STALLED_CLIENT_MS: Milliseconds = 30_000;
/** And so long for what becomes of a queue's messages to be written down. */
const SETTLE_MS: Milliseconds = 1000;
/** `close` waits so long for requests in flight. */
const CLOSE_TIMEOUT: Milliseconds = 30_000;

/** What a runtime is made of, once its options have been checked. */
interface RuntimeParts {
	options: RuntimeOptions;
	eventTypes: EventTypes;
	launcher: Launcher;
	store: ArtifactStore;
	builder: Builder;
	givenBuilder: GivenBuilder;
	/** The folders that functions are built from, by real paths; `null` for any. */
	sources: readonly string[] | null;
}

/** A running atoll: functions, their isolates, and the ways to reach them. Made by `createRuntime`. */
export class Runtime {
	readonly #launcher: Launcher;
	readonly #builder: Builder;
	readonly #pruner: Pruner;
	readonly #limits: Limits;
	readonly #development: boolean;
	readonly #deployments = new Deployments();
	readonly #deployer: Deployer;
	/** @internal Says which invocations are recorded as spans. */
	readonly tracer = new Tracer();
	/** @internal What control desires. */
	readonly desired: Desired;
	readonly #recycles: Recycles;
	/** @internal The tenants that have used up what they may use. */
	readonly refusals = new Refusals();
	/** @internal Told of each invocation that is over, and of its memory over its time, in MB times milliseconds. */
	onUsed: (record: InvocationRecord, memoryMbMs: number) => void = () => undefined;
	readonly #observer: Observer;
	readonly #mapper: StackMapper;
	readonly #log: FunctionLog;
	readonly #decompressor: Decompressor;
	readonly #egress: Egress;
	readonly #sites: Sites;
	readonly #data: DataProcesses;
	readonly #sql: SqlProcesses;
	readonly #tenantLimits: TenantLimits;
	readonly #triggers: TriggerSources;
	/** @internal Where events come from. */
	readonly sources = new Sources();
	readonly #account: Account;
	/** @internal */
	readonly guard = new Guard((fields, message) => this.#observer.notice("error", fields, message));
	readonly #listeners: Listeners;
	/** @internal What the server holds of heads that have not come in whole. */
	readonly unfinished: Account;
	readonly #eventTypes: EventTypes;
	#pool!: SandboxPool;
	#dispatcher!: Dispatcher;
	#bindings!: Bindings;
	#placement!: Placement;
	#ready!: Promise<void>;
	#closing: Promise<void> | null = null;

	/** @internal */
	private constructor({ options, eventTypes, launcher, store, builder, givenBuilder, sources }: RuntimeParts) {
		this.#eventTypes = eventTypes;
		this.#launcher = launcher;
		this.#builder = builder;
		const data = resolve(options.data ?? ".atoll");
		this.#sites = new Sites(data);
		this.#data = new DataProcesses(launcher, data, settledCount(data, options.dataProcesses ?? 1));
		this.#tenantLimits = { ...DEFAULT_TENANT_LIMITS, ...options.tenantLimits };
		const { storedBytes, sqlCpuMs } = this.#tenantLimits;
		this.#sql = new SqlProcesses({ launcher, folder: join(data, "sql"), storedBytes, cpuMs: sqlCpuMs });
		const maxLimits = options.maxLimits ?? {};
		this.#limits = defaultLimits(options.limits, maxLimits);
		this.#recycles = new Recycles(options.recyclesPerMinute ?? 60);
		this.#development = options.development ?? false;
		const held = Math.min(MOST_HELD, Math.max(LEAST_HELD, Math.floor(totalmem() * HELD_SHARE)));
		this.#account = Account.ofAll(options.maxHeldBytes ?? held);
		this.unfinished = this.#account.part();
		const siteFiles = new SiteFiles(store);
		this.#deployer = new Deployer({
			siteFiles,
			builder,
			givenBuilder,
			store,
			deployments: this.#deployments,
			account: this.#account,
			limits: this.#limits,
			maxLimits,
			tenantLimits: this.#tenantLimits,
			sources,
			packages: options.packages ?? true,
			development: this.#development,
			checkBindings: (given, env) => this.#bindings.check(given, env),
			onWithdrawn: (number) => this.#pool.unload(number),
			onTriggers: (of, triggers) => this.#triggers.set(of, triggers),
		});
		this.desired = new Desired({
			deployer: this.#deployer,
			store,
			checkBindings: (given, env) => this.#bindings.check(given, env),
			warm: (release) => this.#warm(release),
			provision: (id) => this.#provision(id),
			onRefused: ({ tenant, name }, error) =>
				this.#observer.notice("error", { tenant, function: name }, `cannot be served: ${String(error.stack)}`),
		});
		this.#listeners = new Listeners({
			dispatch: (requestId, request, sink, accept) =>
				this.#dispatcher.dispatch(requestId, request, sink, accept, "http"),
			guard: this.guard,
			deployments: this.#deployments,
			requestBodyBytes: this.#limits.requestBodyBytes,
			unfinished: this.unfinished,
			stalledMs: options.stalledClientMs ?? STALLED_CLIENT_MS,
		});
		this.nodeHandler = this.#listeners.onRequest;
		this.continueHandler = this.#listeners.onContinue;
		this.upgradeHandler = this.#listeners.onUpgrade;
		this.#observer = new Observer(options.logger ?? null);
		this.#pruner = new Pruner(store, {
			maxBytes: options.cache?.maxDiskBytes ?? MOST_ON_DISK,
			deployed: () => {
				const keys = this.#deployments.artifacts();
				for (const site of this.#deployments.sites()) for (const key of siteFiles.keysOf(site)) keys.add(key);
				return keys;
			},
			onPruned: (removed) => this.#observer.notice("info", removed, "artifacts that nobody used were removed"),
			onFailed: ({ message }) => this.#observer.notice("warn", {}, `artifacts cannot be looked through: ${message}`),
		});
		this.#mapper = new StackMapper(launcher);
		this.#triggers = new TriggerSources({
			data: this.#data,
			schedule: (to, event) => this.#hand(to, event),
			deliver: (to, event, from) => this.#hand<QueueResult>(to, event, from),
			perform: (to, invocation, bytes) => this.#perform(to, invocation, bytes),
			isThere: (of) => this.#deployments.get(of) !== undefined,
			storedBytes: this.#tenantLimits.storedBytes,
			notice: ({ tenant, name }, message) => this.#observer.notice("warn", { tenant, function: name }, message),
			// Whoever develops a function calls it when they want to.
			schedules: !this.#development,
		});
		this.#log = new FunctionLog(this.#observer, this.#mapper);
		this.#decompressor = new Decompressor(launcher);
		this.#egress = new Egress(options.egress, this.#decompressor, ({ origin }, error) =>
			this.guard.fault({ describe: () => ({ origin }), cut: () => undefined }, error),
		);
	}

	/** @internal `eventTypes` are those that can be dispatched. */
	static async create(given: RuntimeOptions, eventTypes = EVENT_TYPES): Promise<Runtime> {
		const runtime = await Runtime.begin(given, eventTypes);
		await runtime.ready;
		return runtime;
	}

	/** @internal The same before its sandboxes are ready: what is to be served can be told it meanwhile. */
	static async begin(given: RuntimeOptions, eventTypes = EVENT_TYPES): Promise<Runtime> {
		const options = checkOptions(given);
		const data = resolve(options.data ?? ".atoll");
		const store = await ArtifactStore.open(data);
		const givenFolder = join(data, "given");
		const sources = options.sources === undefined ? null : outermost(options.sources);
		// A bundler that may not read everything sees those folders alone that were there when it started. Where the data
		// folder may only be read nothing is built.
		if (sources !== null) await mkdir(givenFolder, { recursive: true }).catch(() => undefined);
		const launcher = new Launcher();
		if (options.cgroup !== undefined) launcher.groups = new ControlGroups(resolve(options.cgroup));
		if (options.isolation !== "inline") launcher.start();
		try {
			const builder = await Builder.create(store, launcher, {
				idleMs: options.development ? DEVELOPMENT_IDLE_MS : undefined,
				folders: sources === null ? null : [...sources, givenFolder],
			});
			const givenBuilder = await GivenBuilder.create(builder, store, givenFolder);
			const runtime = new Runtime({ options, eventTypes, launcher, store, builder, givenBuilder, sources });
			await runtime.#start(options);
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
		const events = {
			log: (number: VersionNumber, text: string) => this.#strayLog(number, text),
			culprit: (number: VersionNumber) => this.#placement.culprit(this.#deployments.byNumber(number)),
			crowdedOut: (number: VersionNumber) => this.#crowdedOut(number),
			notice: (level: "info" | "warn" | "error", message: string) => this.#observer.notice(level, {}, message),
		};
		this.#pool = inline
			? await InlinePool.start(settings, events)
			: new Cordons({ launcher: this.#launcher, size, settings, events });
		this.#placement = new Placement(this.#pool, this.#recycles, this.refusals);
		this.#dispatcher = new Dispatcher({
			deployments: this.#deployments,
			placement: this.#placement,
			openBinding: (number, bound, caller) => this.#bindings.open(number, bound, caller),
			observer: this.#observer,
			guard: this.guard,
			log: this.#log,
			used: (record, memoryMbMs) => this.onUsed(record, memoryMbMs),
			tracer: this.tracer,
			mapper: this.#mapper,
			files: new SiteDelivery(this.#sites, this.#observer),
			development: this.#development,
		});
		this.#bindings = await Bindings.load({
			functions: this.#dispatcher,
			egress: this.#egress,
			sites: this.#sites,
			data: this.#data,
			sql: this.#sql,
			storedBytes: this.#tenantLimits.storedBytes,
			cachedBytes: this.#tenantLimits.cachedBytes,
			onQueued: this.#triggers.queued,
			storage: this.#triggers,
		});
		void this.#pruner.run();
		this.#ready = this.#pool.ready.catch(async (error: Error) => {
			await this.close();
			throw error;
		});
		this.#ready.catch(() => undefined);
	}

	/**
	 * @internal A server's handlers, with events of sources taken at a hostname, where there are any or may be. `known`
	 * resolves once all of them were heard of, or that takes too long: whether they were.
	 */
	receiving(hostname: string, handlers: Handlers, known?: () => Promise<boolean>): Handlers {
		const parts = {
			...{ sources: this.sources, account: this.#account.part() },
			known: known ?? (() => Promise.resolve(true)),
			isOpen: () => known !== undefined || this.sources.size > 0,
			...{ data: this.#data, storedBytes: this.#tenantLimits.storedBytes },
			queued: (tenant: TenantName, queue: string) => this.queued(tenant, queue),
		};
		return receiving(hostname, parts, handlers);
	}

	/** @internal Goes on with what was taken in before, if anything was. */
	resume(): void {
		if (this.#data.isBegun) this.#triggers.look();
	}

	/** @internal A queue has messages by another process, or a function invocations. */
	queued(tenant: TenantName, queue: string): void {
		this.#triggers.look();
		this.#triggers.queued(tenant, queue);
	}

	/** @internal Resolves when its sandboxes are ready; rejects, with all of it closed, where they cannot start. */
	get ready(): Promise<void> {
		return this.#ready;
	}

	#crowdedOut(number: VersionNumber): void {
		const { function: of } = this.#deployments.byNumber(number) ?? {};
		if (of === undefined) return;
		const what = "an isolate of it is provisioned, but what is provisioned fills its half of a sandbox: it is not kept";
		this.#observer.notice("warn", { tenant: of.tenant, function: of.name }, what);
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
		return this.#deployer.deploy(checkDeployment(given));
	}

	/**
	 * The first step of a deployment: checks what a version is to be built from. Throws UsageError for options that
	 * make no sense.
	 *
	 * @internal
	 */
	upload(given: UploadOptions): Upload {
		this.#refuseIfClosing();
		return this.#deployer.versions.upload(checkUpload(given));
	}

	/**
	 * The second: builds a version, which changes nothing of what is served. Rejects with BuildError, which has every
	 * problem of the source.
	 *
	 * @internal
	 */
	async build(upload: Upload): Promise<Built> {
		this.#refuseIfClosing();
		const built = await this.#deployer.versions.build(upload);
		await built.saved;
		return built;
	}

	/**
	 * The third: says which versions of a function get which share of its traffic, and with which variables, and tries
	 * whether they start. Nothing is served yet. Rejects with UsageError for shares that do not add up to 100, and
	 * with BuildError for a version that has no handler.
	 *
	 * @internal
	 */
	async release(given: ReleaseSettings): Promise<Release> {
		this.#refuseIfClosing();
		return this.#deployer.release(given);
	}

	/**
	 * Starts isolates of a release's versions before it is activated, for a function that is in service: its first
	 * requests are warm then. A version that serves already, and a function on probation, are left as they are.
	 * Resolves when that is over, well or not.
	 *
	 * @internal
	 */
	async warm(release: Release): Promise<void> {
		this.#refuseIfClosing();
		await this.#warm(release);
	}

	#warm(release: Release): Promise<void> | null {
		const versions = this.#deployer.prepare(release);
		if (versions.length === 0) return null;
		return Promise.all(versions.map((version) => this.#preload(version))).then(() => undefined);
	}

	/** Sees to it that a function's versions have as many isolates ahead of requests as they are to have. */
	async #provision(id: FunctionId): Promise<void> {
		const running = this.#deployments.get(id)?.running ?? [];
		await Promise.all(running.map((version) => this.#placement.provision(version)));
	}

	async #preload(version: ReleasedVersion): Promise<void> {
		if (version.struck) return;
		const sandbox = this.#pool.sandbox(version, Placement.of(version, false), true);
		if ((await sandbox?.preload(version)) === "killed") this.#placement.culprit(version);
	}

	/**
	 * The last: has a release get the traffic of its function, at these hostnames. Requests that other versions have
	 * are finished there; a version that ran before, with the same variables, runs on. Throws UsageError for
	 * hostnames that the function cannot have, and nothing has changed then.
	 *
	 * @internal
	 */
	activate(release: Release, hostnames: readonly string[]): void {
		this.#deployer.activate(release, hostnames);
	}

	/**
	 * Puts a function into service that could not be deployed: those of its hostnames that it can have answer
	 * `startup_failed` until it is deployed again. For a server that starts with many functions, one of which is
	 * broken.
	 */
	deployBroken(given: Pick<DeployOptions, "tenant" | "name" | "hostnames">, problem: string): void {
		this.#standIn(given, new FunctionError("startup_failed", problem));
	}

	/**
	 * Has the hostnames of a function that is being deployed answer `building` until it is. For a server that starts
	 * with many functions, one of which takes long.
	 */
	deployUnbuilt(given: Pick<DeployOptions, "tenant" | "name" | "hostnames">): void {
		this.#standIn(given, new FunctionError("building", undefined, { retryAfter: 1 }));
	}

	#standIn(given: Pick<DeployOptions, "tenant" | "name" | "hostnames">, why: FunctionError): void {
		this.#refuseIfClosing();
		this.#deployer.standIn(checkFunctionId({ tenant: given.tenant, name: given.name }), given.hostnames, why);
	}

	/**
	 * Takes a function out of service and gives its hostnames back; requests that it has are finished. `tenant` is
	 * the operator's own if it is left out. Returns whether there was one of that name. Throws UsageError once the
	 * runtime is closing.
	 */
	async remove(given: { tenant?: TenantName; name: string }): Promise<boolean> {
		this.#refuseIfClosing();
		return this.#deployer.remove(checkFunctionId(given));
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

	/** The function that a hostname leads to, or `null`. Throws UsageError once the runtime is closing. */
	at(hostname: string): DeployedFunction | null {
		this.#refuseIfClosing();
		const found = this.#deployments.find({ to: null, hostname: normalizeHostname(hostname) ?? "" });
		return found === undefined ? null : describe(found);
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
		request.signal.throwIfAborted();
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
	 * Gives a function an event that is no request, and resolves when the function is done with it, well or not: that
	 * is its outcome. `tenant` is the operator's own if it is left out. Throws UsageError where there is no such
	 * function, and for an event that makes no sense or is larger than 1 MB.
	 */
	dispatch(to: { tenant?: TenantName; name: string }, event: ScheduledEvent): Promise<Dispatched<ScheduledResult>>;
	dispatch(
		to: { tenant?: TenantName; name: string },
		event: QueueEvent | StorageEvent,
	): Promise<Dispatched<QueueResult>>;
	dispatch(to: { tenant?: TenantName; name: string }, event: CloudEvent): Promise<Dispatched<CloudEventResult>>;
	async dispatch(
		to: { tenant?: TenantName; name: string },
		given: ScheduledEvent | QueueEvent | StorageEvent | CloudEvent,
	): Promise<Dispatched<unknown>> {
		this.#refuseIfClosing();
		const input = checkEvent(this.#eventTypes, given);
		const id = checkFunctionId(to);
		const dispatched = await this.#hand(id, input);
		if (dispatched === null) throw new UsageError(`dispatch: the tenant ${id.tenant} has no function ${id.name}`);
		return dispatched;
	}

	/** Has a function perform an invocation that was taken in; `null` where it has not seen it. */
	async #perform(to: FunctionId, invocation: LeasedInvocation, bytes: Uint8Array): Promise<Performed | null> {
		const { event, id, attempts, created } = invocation;
		if (event.type === "fetch") return this.#post(to, invocation, bytes);
		const input =
			event.type === "scheduled"
				? { ...event, scheduledTime: created }
				: event.type === "queue"
					? {
							type: event.type,
							queue: event.queue,
							messages: [messageOf({ id, timestamp: created, attempts }, event.contentType, bytes)],
						}
					: eventOf(event.attributes, { kind: event.data, bytes, attempts });
		const from = { traces: [readTrace(invocation.trace)] };
		const dispatched = await this.#hand<Partial<ScheduledResult & QueueResult & CloudEventResult>>(to, input, from);
		if (dispatched === null || !isSeen(dispatched.outcome)) return null;
		const { outcome, error, result } = dispatched;
		const isRetried = result.retried !== undefined && result.retried.length > 0;
		const why = error ?? (outcome === "ok" && isRetried ? "the handler asked for it to be tried again" : outcome);
		const ok = outcome === "ok" && !isRetried;
		return { ok, again: result.retry ?? true, status: 0, error: ok ? "" : why, body: new Uint8Array() };
	}

	async #post(to: FunctionId, invocation: LeasedInvocation, body: Uint8Array): Promise<Performed | null> {
		const { event, id, attempts } = invocation;
		const found = this.#deployments.get(to);
		if (found === undefined || event.type !== "fetch") return null;
		const trace = readTrace(invocation.trace);
		const hostname = found.hostnames.find((one) => !one.startsWith("*")) ?? "localhost";
		const own = ["host", hostname, "content-type", event.contentType, "content-length", String(body.byteLength)];
		own.push("x-atoll-invocation-id", id, "x-atoll-invocation-attempt", String(attempts));
		const headers = trace === null ? own : withTrace(own, trace, null);
		const request = { method: "POST", url: `http://${hostname}${event.path}`, hostname, to, headers, body };
		const sent = await sendRequest(this.#dispatcher, request, MOST_RESULT);
		if (sent.outcome === "function_not_found" || !isSeen(sent.outcome)) return null;
		const ok = sent.outcome === "ok" && sent.status < 500;
		const error = ok ? "" : sent.outcome === "ok" ? `it answered ${sent.status}` : sent.outcome;
		return { ok, again: true, status: sent.status, error, body: sent.body };
	}

	/**
	 * Gives a function an event that makes sense; `null` where there is no such function, or no more than is at work.
	 * Throws UsageError for an event that is too large.
	 */
	async #hand<Result>(
		id: FunctionId,
		input: { type: string },
		from: DispatchedFrom = {},
	): Promise<Dispatched<Result> | null> {
		const type = this.#eventTypes[input.type];
		const version = this.#deployments.get(id)?.pick();
		if (version === undefined || this.#closing !== null) return null;
		const event = new DispatchedEvent(type.encode(input), from);
		if (event.bytes > MOST_OF_EVENT) throw new UsageError(`dispatch: the event has more than ${MOST_OF_EVENT} bytes`);
		this.#dispatcher.run({ version, event, requestId: nextRequestId(), trigger: "dispatch" });
		const { outcome, error, record, verdicts } = await event.ended;
		const result = type.decode(input, verdicts, outcome === "ok") as Result;
		return { outcome, error: error?.message ?? null, result, record };
	}

	/**
	 * A listener for `node:http`, and a handler for Express: `http.createServer(runtime.nodeHandler)`,
	 * `app.use(runtime.nodeHandler)`. Given options, it makes such a listener for one function, or below a path:
	 * `app.use(runtime.nodeHandler({ function: "shop", prefix: "/shop" }))`.
	 *
	 * What it is given as third argument is called where a request is for no function of this runtime. A body that was
	 * read before is taken from `req.rawBody` or `req.body`, and refused with `body_consumed` where neither is there.
	 */
	readonly nodeHandler: NodeHandler;

	/**
	 * A listener for `checkContinue` of `node:http`, for clients that ask before they send a body:
	 * `server.on("checkContinue", runtime.continueHandler)`. Without it they are all told to send it.
	 */
	readonly continueHandler: NodeHandler;

	/**
	 * A listener for upgrades of `node:http`, which functions answer with a WebSocket: `server.on("upgrade",
	 * runtime.upgradeHandler)`. Given options, it makes one for a function, or below a path, as `nodeHandler` does.
	 */
	readonly upgradeHandler: UpgradeHandler;

	/**
	 * @internal Records what a server refuses before there is a request. Returns the answer, for those that get one.
	 */
	refuse(error: FunctionError, answered: boolean) {
		return this.#dispatcher.refuse(error, nextRequestId(), "http", { answered });
	}

	/** Tells the clients of all WebSockets that the server goes away. */
	closeWebSockets(): void {
		this.#listeners.closeWebSockets();
	}

	/**
	 * Hears of every request and of every line that functions log; what it throws is logged, and is no request's end.
	 * Returns the function that ends the subscription. Throws UsageError for what is no subscriber.
	 */
	subscribe(subscriber: Subscriber): () => void {
		checkSubscriber(subscriber);
		return this.#observer.subscribe(subscriber);
	}

	/** @internal The same for one who hears of requests' origins. */
	watch(watcher: Watcher): () => void {
		return this.#observer.watch(watcher);
	}

	/**
	 * @internal Takes a CPU profile of a version of a function, of the one with the most traffic if none is named, and maps
	 * it into its source: `.cpuprofile` as JSON, of a form that a confined process vouches for. Rejects with why there is
	 * none.
	 */
	async profile(id: FunctionId, version: string | null, bounds: ProfileBounds): Promise<Uint8Array> {
		this.#refuseIfClosing();
		const found = this.#deployments.get(id)?.toProfile(version);
		if (found === undefined) throw new Error("no such version is served: release it, or ask for its preview first");
		const json = await this.#pool.profile(found, bounds);
		return mappedProfile(this.#launcher, found, json);
	}

	/** @internal Invocations that are under way. */
	get inFlight(): number {
		return this.#dispatcher.inFlight;
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

	/** @internal What an operator looks at when something is slow. */
	machine(): MachineState {
		const now = Date.now();
		const culprits: Culprit[] = [];
		for (const one of this.#deployments.all()) {
			const strikes = one.strikes.count(now);
			if (strikes === 0) continue;
			culprits.push({ tenant: one.tenant, function: one.name, strikes, disabledMs: one.disabled(now) });
		}
		culprits.sort((a, b) => b.strikes - a.strikes);
		return { sandboxes: this.#pool.states(), culprits: culprits.slice(0, MOST_CULPRITS) };
	}

	/** @internal The memory that provisioned instances may use, by their functions: what is held ready. */
	*held(): Generator<FunctionId & { memoryMb: number }> {
		const { sandboxes } = this.#pool.stats();
		for (const one of this.#deployments.all()) {
			const { provisioned, max } = one.instances;
			if (provisioned === 0 || max === 0 || this.refusals.of(one.tenant, Date.now()) !== null) continue;
			const memoryMb = one.running.reduce(
				(sum, version) => sum + Math.min(version.provisioned, sandboxes) * version.limits.memoryMb,
				0,
			);
			if (memoryMb > 0) yield { tenant: one.tenant, name: one.name, memoryMb };
		}
	}

	/**
	 * Which of the operating system's layers are on around the sandboxes, on top of processes of their own and Node's
	 * permission model; `null` when inline.
	 */
	get containment(): Containment | null {
		return this.#pool.containment;
	}

	/** Process ids of the sandboxes, the spare included; none when inline. For operators and tests. */
	sandboxPids(): number[] {
		return this.#pool.pids();
	}

	/** Process id of the first data process; 0 while there is none. For operators and tests. */
	dataPid(): number {
		return this.#data.all[0].pid;
	}

	/** Process ids of the processes of SQL, by the tenants whose databases they have. For operators and tests. */
	sqlPids(): Record<TenantName, number> {
		return this.#sql.pids();
	}

	#refuseIfClosing(): void {
		if (this.#closing !== null) throw new UsageError("the runtime is closed", "closed");
	}

	/**
	 * Takes no request from now on (503 `shutting_down`, and over a connection that ends with it) and no deployment,
	 * finishes the requests in flight until their clients have the whole answer, and ends every process that the
	 * runtime has started. Called again, it is the same closing. Throws UsageError for options that make no sense.
	 */
	close(options: CloseOptions = {}): Promise<void> {
		const { timeoutMs = CLOSE_TIMEOUT } = checkClose(options);
		this.#closing ??= this.#close(timeoutMs);
		return this.#closing;
	}

	async #close(timeout: Milliseconds): Promise<void> {
		this.#deployer.close();
		this.closeWebSockets();
		const triggered = this.#triggers.close();
		const until = performance.now() + timeout;
		await this.#dispatcher.drain(timeout);
		// What was worked on has ended by now, and is settled at once, unless the disk hangs.
		await Promise.race([triggered, sleep(SETTLE_MS, undefined, { ref: false })]);
		await this.#listeners.delivered(until - performance.now());
		await Promise.all([this.#builder.close(), this.#pool.close(), this.#closeStores(), this.#closeHelpers()]);
		await this.#pruner.close();
		await this.#launcher.close();
	}

	/** Bindings may have something to store still. */
	async #closeStores(): Promise<void> {
		await this.#bindings.close();
		await Promise.all([this.#data.close(), this.#sql.close()]);
	}

	async #closeHelpers(): Promise<void> {
		await Promise.all([this.#mapper.close(), this.#decompressor.close()]);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.close();
	}
}
