import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Bindings } from "../bindings/edges.ts";
import { Builder } from "../build/builder.ts";
import { GivenBuilder } from "../build/given-files.ts";
import { loadPrelude } from "../build/prelude.ts";
import { toolchainKey } from "../build/toolchain.ts";
import { ArtifactStore } from "../cache/artifact-store.ts";
import { Pruner } from "../cache/pruner.ts";
import type { ServerConfig } from "../config/server.ts";
import { SiteFiles } from "../deployments/site-files.ts";
import { VersionBuilder } from "../deployments/version-builder.ts";
import { UsageError } from "../errors.ts";
import { DEFAULT_TENANT_LIMITS, defaultLimits } from "../limits/limits.ts";
import type { MachineState } from "../observe/runtime-stats.ts";
import { Launcher } from "../processes/launcher.ts";
import { DataProcesses, settledCount, storesFolder } from "../stores/data-processes.ts";
import { SqlProcesses } from "../stores/sql-processes.ts";
import type { Count, Milliseconds } from "../units.ts";
import { version } from "../version.ts";
import { isBackupDraft } from "./admin/backup.ts";
import { Alerts } from "./alerts/alerts.ts";
import { Analytics } from "./analytics.ts";
import { Buckets } from "./buckets.ts";
import { Catalog } from "./catalog/catalog.ts";
import { HostnamePolicy } from "./catalog/hostname-policy.ts";
import { InstancePolicy } from "./catalog/instance-policy.ts";
import { Keeping } from "./catalog/keeping.ts";
import { Releases } from "./catalog/releases.ts";
import { Tails } from "./cloudflare/tails.ts";
import { Sessions } from "./dashboard/sessions.ts";
import { EventSources } from "./event-sources.ts";
import { DesiredState } from "./feed/desired-state.ts";
import { Feed } from "./feed/feed.ts";
import { Invocations } from "./invocations.ts";
import { type KvNamespaces, tenantNamespaces } from "./kv/namespaces.ts";
import { addBudgetMetric } from "./metering/budget-metric.ts";
import { Budgets } from "./metering/budgets.ts";
import { Metering } from "./metering/metering.ts";
import { Exporter } from "./observe/exporter.ts";
import { LogIntake } from "./observe/log-intake.ts";
import { Logs } from "./observe/logs.ts";
import { Metrics } from "./observe/metrics.ts";
import { Profiles } from "./observe/profiles.ts";
import { Queues } from "./queues.ts";
import { Sealer } from "./secrets.ts";
import { type SqlDatabases, tenantDatabases } from "./sql/databases.ts";
import { removeTransfers, SqlTransfers } from "./sql/transfers.ts";
import { SqliteStore } from "./store/sqlite-store.ts";
import type { Sequence } from "./store/store.ts";
import { BoundStores } from "./titled-stores.ts";
import { Tokens } from "./tokens.ts";
import { AssetUploads } from "./uploads/asset-uploads.ts";
import { sweep } from "./uploads/sweep.ts";
import { Uploads } from "./uploads/uploads.ts";
import { VersionUploads } from "./uploads/version-uploads.ts";

/** What artifacts may take on disk beside those of versions that are kept. */
const MOST_ON_DISK = 2 * 2 ** 30;
const DATABASE = "control.sqlite";
/** The folder of their SQL databases, and how many processes of control's own have some open. */
const SQL = "sql";
const MOST_SQL = 4;
/** The folder of the log process. */
const LOGS = "logs";
/** So many budgets are looked at by alerts. */
const MOST_RATIOS: Count = 10_000;
const TIDY_MS: Milliseconds = 3600_000;
/** Looking through all that there is takes a while, which whoever starts has no time for. */
const FIRST_TIDY_MS: Milliseconds = 60_000;

/** Who deploys once deploys again, and would wait a second for the processes that build. */
const BUILDER_IDLE_MS: Milliseconds = 600_000;

type Log = (level: "info" | "warn" | "error", message: string) => void;

/** What versions are built and checked with. */
interface Building {
	builder: Builder;
	versions: VersionBuilder;
	bindings: Bindings;
}

/** All that the control process has: the store, and what is done with it. */
export class Control {
	readonly config: ServerConfig;
	readonly store: SqliteStore;
	readonly catalog: Catalog;
	readonly keeping: Keeping;
	/** What functions have stored. */
	readonly data: DataProcesses;
	readonly analytics: Analytics;
	readonly queues: Queues;
	readonly invocations: Invocations;
	readonly namespaces: KvNamespaces;
	/** The databases of functions, and what runs their SQL. */
	readonly sql: SqlProcesses;
	/** What copies them for backups, which waits for nothing that tenants ask of theirs. */
	readonly copyingSql: SqlProcesses;
	readonly databases: SqlDatabases;
	readonly transfers: SqlTransfers;
	readonly bound: BoundStores;
	readonly buckets: Buckets;
	readonly sources: EventSources;
	readonly versions: VersionUploads;
	readonly releases: Releases;
	readonly tokens: Tokens;
	/** Of the dashboard. */
	readonly sessions: Sessions;
	readonly assets: AssetUploads;
	readonly feed: Feed;
	readonly tails: Tails;
	readonly metrics = new Metrics();
	/** The sandboxes of each edge, and what has cost it some. */
	readonly machines = new Map<object, MachineState>();
	/** Invocations with what they have logged, and rollups. */
	readonly logs: Logs;
	/** Where edges bring them to. */
	readonly logIntake: LogIntake;
	/** What functions have used. */
	readonly metering: Metering;
	/** What tenants may use. */
	readonly budgets: Budgets;
	readonly alerts: Alerts;
	/** What exports traces and metrics; `null` where nothing is exported. */
	readonly exporter: Exporter | null;
	readonly profiles: Profiles;
	readonly #artifacts: ArtifactStore;
	readonly #pruner: Pruner;
	readonly #launcher = new Launcher();
	#builder: Promise<Building> | null = null;
	readonly #uploads: Uploads;
	readonly #tidying: NodeJS.Timeout;
	readonly #firstTidying: NodeJS.Timeout;
	#closed = false;
	readonly log: Log;
	readonly #closing = Promise.withResolvers<void>();
	/** Resolves when tails are to end. */
	readonly closing = this.#closing.promise;

	private constructor(
		config: ServerConfig,
		parts: {
			store: SqliteStore;
			sealer: Sealer;
			uploads: Uploads;
			artifacts: ArtifactStore;
			toolchain: string;
			metering: Metering;
			log: Log;
		},
	) {
		const { store, sealer, uploads, artifacts, toolchain, metering, log } = parts;
		this.config = config;
		this.log = log;
		this.metering = metering;
		this.budgets = new Budgets({ store, metering, pricing: config.pricing, log });
		addBudgetMetric(this.metrics.own, this.budgets);
		this.store = store;
		this.#artifacts = artifacts;
		this.catalog = new Catalog({
			store,
			sealer,
			hostnames: new HostnamePolicy(store, config.domain),
			instances: new InstancePolicy(store, config.maxProvisioned),
		});
		const builder = async () => (await this.#built()).versions;
		const bindings = async () => (await this.#built()).bindings;
		const { catalog } = this;
		this.keeping = new Keeping(store, config.keep);
		this.versions = new VersionUploads({ catalog, keeping: this.keeping, uploads, builder, bindings, toolchain });
		this.data = new DataProcesses(this.#launcher, ".", settledCount(".", config.dataProcesses));
		const { storedBytes, sqlCpuMs } = { ...DEFAULT_TENANT_LIMITS, ...config.tenantLimits };
		const sql = { launcher: this.#launcher, folder: SQL, storedBytes, cpuMs: sqlCpuMs };
		this.sql = new SqlProcesses({ ...sql, most: MOST_SQL });
		this.copyingSql = new SqlProcesses({ ...sql, most: 1 });
		this.analytics = new Analytics(this.data);
		this.namespaces = tenantNamespaces({ store, data: this.data, storedBytes });
		this.databases = tenantDatabases(store, this.sql);
		this.transfers = new SqlTransfers(this.databases);
		this.buckets = new Buckets({ store, data: this.data, storedBytes });
		this.bound = new BoundStores([this.namespaces, this.databases], [this.buckets]);
		const { versions, keeping, bound, namespaces, buckets } = this;
		this.releases = new Releases({ catalog, versions, keeping, bound, namespaces });
		this.tokens = new Tokens(store);
		this.sessions = new Sessions(this.tokens, sealer);
		this.assets = new AssetUploads(store, uploads, sealer);
		this.sources = new EventSources({
			...{ catalog, sealer },
			onUnreadable: (key, { message }) => log("error", `the source ${key} is not told to edges: ${message}`),
		});
		const state = new DesiredState({
			...{ catalog, versions, sources: this.sources },
			onUnreadable: ({ tenant, name }, { message }) =>
				log("error", `${tenant}/${name} is not told to edges: ${message}`),
		});
		this.feed = new Feed({
			...{ store, state, log },
			remake: (id, version) => this.versions.remake(id, version),
			onMeasured: (edge, { tallies, stats, machine }) => {
				this.machines.set(edge, machine);
				this.metrics.add(edge, tallies, stats);
				this.logs.addRollups(Date.now(), tallies);
				this.alerts.measured(edge, tallies, stats);
			},
			onSpans: (told) => this.exporter?.spans(told),
			onProfile: (edge, said) => this.profiles.on(edge, said),
			onGone: (edge) => {
				this.metrics.forget(edge);
				this.machines.delete(edge);
				this.alerts.gone(edge);
				this.profiles.forget(edge);
			},
		});
		this.logs = new Logs({ launcher: this.#launcher, folder: LOGS, config: config.logs, log });
		this.profiles = new Profiles(() => this.feed.newest());
		this.logIntake = new LogIntake((batch) => this.logs.append(batch));
		this.alerts = new Alerts({
			...{ store, sealer, config: config.alerts, allowEgress: config.allowEgress, folder: ".", logs: this.logs, log },
			url: config.alerts.url ?? `http://${config.adminHost}:${config.adminPort}`,
			edges: () => this.feed.edges,
			budgets: () => this.budgets.ratios(MOST_RATIOS),
			registry: this.metrics.own,
		});
		const { otlp } = config;
		const exported = { launcher: this.#launcher, otlp, snapshot: () => this.metrics.snapshot(), log };
		this.exporter = otlp.traces || otlp.metrics ? new Exporter(exported) : null;
		this.metrics.spans = this.exporter?.counts ?? null;
		const { data, feed } = this;
		this.queues = new Queues({ catalog, data, feed, storedBytes, buckets });
		this.invocations = new Invocations({ catalog, data, feed, queues: this.queues, storedBytes });
		this.tails = new Tails(this.feed, this.tokens);
		this.#pruner = new Pruner(artifacts, {
			maxBytes: MOST_ON_DISK,
			deployed: () => state.artifacts(),
			onPruned: ({ files, bytes }) =>
				log("info", `${files} files of artifacts that nobody used, ${bytes} bytes, were removed`),
			onFailed: ({ message }) => log("warn", `artifacts cannot be looked through: ${message}`),
		});
		this.#uploads = uploads;
		this.#tidying = setInterval(() => void this.#tidy(), TIDY_MS).unref();
		this.#firstTidying = setTimeout(() => void this.#pruner.run().then(() => this.#tidy()), FIRST_TIDY_MS).unref();
	}

	/** Opens the data folder, which is the working directory. Throws UsageError where that cannot be used. */
	static async open(config: ServerConfig, log: Log): Promise<Control> {
		// What is kept is nobody else's on this machine, even in a folder that others may look into.
		for (const folder of ["artifacts", "given", "uploads"]) {
			await mkdir(folder, { recursive: true });
			await chmod(folder, 0o700);
		}
		// A new one in its place would say that there is nothing to serve.
		if (!existsSync(DATABASE) && (await readdir("uploads")).length > 0)
			throw new UsageError(
				`${config.data} has uploads and no database: restore a backup, or move that folder away`,
				"data_unusable",
			);
		const stores = Array.from({ length: config.dataProcesses }, (_, i) => storesFolder(i));
		for (const folder of [".", ...stores.filter((each) => existsSync(each))])
			for (const name of await readdir(folder)) if (isBackupDraft(name)) await rm(join(folder, name), { force: true });
		if (existsSync(SQL)) await removeTransfers(SQL);
		const store = SqliteStore.open(DATABASE);
		const [uploads, artifacts, prelude] = await Promise.all([
			Uploads.open("."),
			ArtifactStore.open("."),
			loadPrelude(),
		]);
		const sealer = Sealer.open(".");
		const metering = await Metering.open({ data: ".", days: config.metering.days, log });
		const toolchain = toolchainKey(prelude);
		return new Control(config, { store, sealer, uploads, artifacts, toolchain, metering, log });
	}

	/** Started when the first version is built: who only serves has no need of it. */
	#built(): Promise<Building> {
		this.#builder ??= this.#startBuilder();
		return this.#builder;
	}

	async #startBuilder(): Promise<Building> {
		this.#launcher.start();
		const builder = await Builder.create(this.#artifacts, this.#launcher, {
			folders: ["given"],
			idleMs: BUILDER_IDLE_MS,
		});
		const { limits, maxLimits } = this.config;
		const versions = new VersionBuilder({
			builder,
			givenBuilder: await GivenBuilder.create(builder, this.#artifacts, "given"),
			store: this.#artifacts,
			siteFiles: new SiteFiles(this.#artifacts),
			limits: defaultLimits(limits, maxLimits),
			maxLimits,
			sources: [],
			packages: false,
			development: false,
		});
		return { builder, versions, bindings: await Bindings.loadForChecks() };
	}

	/** Removes the versions that are kept no longer, and the uploads that no version is made of any more. */
	async #tidy(): Promise<void> {
		if (this.#closed) return;
		try {
			const old = await this.keeping.tidy(this.catalog);
			await this.bound.tidy();
			if (old > 0) this.log("info", `${old} versions and releases that are kept no longer were removed`);
			const functions = new Set((await this.store.list("function")).map(({ key }) => key));
			this.metrics.retain((key) => functions.has(key));
			const { files } = await sweep(this.store, this.#uploads);
			if (files > 0) this.log("info", `${files} uploads that no version has any more were removed`);
		} catch (error) {
			if (!this.#closed) this.log("warn", `versions and uploads cannot be looked through: ${(error as Error).message}`);
		}
	}

	/** What is in force here, for whoever wonders. */
	async doctor(): Promise<Record<string, unknown>> {
		const {
			domain,
			data,
			limits,
			maxLimits,
			tenantLimits,
			maxProvisioned,
			keep,
			allowEgress,
			sandboxes = "one per core less one",
		} = this.config;
		const counted = async (kind: "function" | "version" | "token") => (await this.store.list(kind)).length;
		const [functions, versions, tokens] = await Promise.all([
			counted("function"),
			counted("version"),
			counted("token"),
		]);
		return {
			atoll: version(),
			node: process.version,
			domain,
			data,
			functions,
			versions,
			tokens,
			edges: this.feed.edges,
			commit: this.store.sequence,
			sandboxes,
			limits,
			maxLimits,
			tenantLimits,
			maxProvisioned,
			keep,
			allowEgress,
			secretsKey: process.env.ATOLL_SECRETS_KEY === undefined ? "secrets.key in the data folder" : "ATOLL_SECRETS_KEY",
		};
	}

	/** Where a hostname is reached, as far as this server knows. */
	urlOf(hostname: string): string {
		const { port } = this.config;
		return `http://${hostname}${port === 80 ? "" : `:${port}`}`;
	}

	/** Resolves once edges serve what was committed, or the log says that one does not yet. */
	async served(sequence: Sequence): Promise<void> {
		if (!(await this.feed.served(sequence))) this.log("warn", `an edge does not serve commit ${sequence} yet`);
	}

	/** Ends what goes on for as long as somebody looks. */
	closeTails(): void {
		this.#closing.resolve();
		this.tails.close();
		this.profiles.close();
	}

	/**
	 * Edges that are ending, too, have so long to tell the last of what is used; and of what was done, where the store may be
	 * held as long.
	 */
	async close({ edgesMs, holdsStore }: { edgesMs: Milliseconds; holdsStore: boolean }): Promise<void> {
		const recordsMs = holdsStore ? edgesMs : 0;
		this.closeTails();
		this.#closed = true;
		clearInterval(this.#tidying);
		clearTimeout(this.#firstTidying);
		this.budgets.close();
		const metered = this.metering.close(edgesMs);
		await Promise.all([this.feed.close(recordsMs), this.logIntake.close(recordsMs)]);
		await this.alerts.close();
		await (await this.#builder)?.builder.close();
		await this.#pruner.close();
		await this.exporter?.close();
		await Promise.all([this.data.close(), this.sql.close(), this.copyingSql.close(), this.logs.close()]);
		await this.#launcher.close();
		// Whoever starts next may have the store, as long as edges take.
		await this.store.close();
		await metered;
	}
}
