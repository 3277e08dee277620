import type { Asset, SiteSource } from "../../assets/asset-config.ts";
import type { GivenBindings } from "../../bindings/binding.ts";
import type { ReceiverSettings } from "../../config/alert-receivers.ts";
import type { Sticky } from "../../deployments/stickiness.ts";
import type { Limits } from "../../limits/limits.ts";
import type { FunctionName, TenantName } from "../../names.ts";
import type { Rule, SchemeName } from "../../sources/source-settings.ts";
import type { ConsumerSettings, PullSettings, StorageSettings } from "../../triggers/trigger-settings.ts";
import type { Bytes, Microseconds } from "../../units.ts";
import type { RuleSettings } from "../alerts/rule.ts";

/** When something was done, in the form of RFC 3339. */
export type Timestamp = string;
/** A UUID. */
type VersionUuid = string;
/** A UUID. */
type ReleaseId = string;
/** A name for a release: lower-case letters, digits and `-`. */
export type Alias = string;
/** The alias that a function's traffic goes by. */
export const PRODUCTION: Alias = "production";

/** Whoever deploys functions. Its key is its name. */
export interface TenantDocument {
	created: Timestamp;
}

/** A secret, encrypted with a key that is not in the store. */
interface SealedSecret {
	sealed: string;
	changed: Timestamp;
}

/** Which of a function's versions and releases are kept beside those that are in use. */
export interface KeepRules {
	/** So many of each, the latest. */
	versions: number;
	/** For so long; `null` for ever. */
	days: number | null;
}

/** What lives longer than an upload. Its key is `<tenant>/<name>`. */
export interface FunctionDocument {
	tenant: TenantName;
	name: FunctionName;
	created: Timestamp;
	changed: Timestamp;
	/** The number that the next version gets. */
	nextNumber: number;
	/** Which release each alias stands for. */
	aliases: Record<Alias, ReleaseId>;
	/** Its own hostnames and wildcards, beside the one that its name gives it. */
	hostnames: string[];
	/** Whether it is reached at the hostname that its name gives it. */
	onDomain: boolean;
	/** Whether versions and aliases are reached at hostnames of theirs. */
	previews: boolean;
	/** Variables that all of its versions get, but for those that have one of the name themselves. */
	variables: Record<string, unknown>;
	secrets: Record<string, SealedSecret>;
	/** Whether it answers that it is paused. */
	paused: boolean;
	/** How many isolates of each version with traffic, of two at most, are started ahead of requests. */
	provisioned: number;
	/** In how many sandboxes each may have isolates when it is not paused; `null` for as many as it needs. */
	maxInstances: number | null;
	/** Where it has other rules than the server. */
	keep: Partial<KeepRules>;
	/** Labels that a client keeps with it. */
	tags: string[];
	/** When its `scheduled` handler is called: cron expressions. */
	schedules: string[];
	/** The queues whose messages its `queue` handler is given, and how. */
	consumers: ConsumerSettings[];
	/** Which changes of what is stored it is told of, or queues are. */
	storage: StorageSettings[];
}

/** One immutable upload. Its key is `<tenant>/<name>/<id>`. */
export interface VersionDocument {
	id: VersionUuid;
	tenant: TenantName;
	name: FunctionName;
	/** Counted from 1 within its function. */
	number: number;
	/** Over all that it is made of. */
	hash: string;
	/** Names its files among the uploads on disk. */
	upload: string;
	/** The key of its artifact, and the toolchain that made that. */
	artifact: string;
	toolchain: string;
	size: Bytes;
	limits: Limits;
	/** The variables that were uploaded with it. */
	variables: Record<string, unknown>;
	bindings: GivenBindings;
	/** The name under which it finds its own id, tag and time in `env`; empty for none. */
	metadataBinding: string;
	/** The files that it has, and the name under which it finds them in `env`; `null` and empty for none. */
	site: SiteSource | null;
	assetsBinding: string;
	compatibilityDate: string;
	compatibilityFlags: string[];
	handlers: string[];
	startUs: Microseconds;
	message: string;
	tag: string;
	author: string;
	/** What it was uploaded with, as `wrangler`. */
	source: string;
	created: Timestamp;
}

/** A version and its share of the traffic. */
export interface ReleasedShare {
	version: VersionUuid;
	percent: number;
}

/** Which versions get which share of the traffic. Its key is `<tenant>/<name>/<id>`. */
export interface ReleaseDocument {
	id: ReleaseId;
	alias: Alias;
	shares: ReleasedShare[];
	/** What keeps whoever asks with one of several versions. */
	sticky: Sticky | null;
	message: string;
	author: string;
	source: string;
	created: Timestamp;
}

/** Whose a hostname or wildcard is. Its key is the hostname. */
interface HostnameDocument {
	tenant: TenantName;
	name: FunctionName;
}

/** A queue of a tenant's. Its key is `<tenant>/<name>`. */
export interface QueueDocument {
	/** 32 hexadecimal digits, by which Cloudflare's API knows it. */
	id: string;
	tenant: TenantName;
	name: string;
	created: Timestamp;
	/** The one function that is given its messages; `null` for none. */
	consumer: FunctionName | null;
	/** How they are taken over HTTP, in place of that; `null` where they are not. */
	pull: PullSettings | null;
	/** Whether nobody is given any. */
	paused: boolean;
}

/** A bucket of a tenant's. Its key is `<tenant>/<name>`. */
export interface BucketDocument {
	tenant: TenantName;
	name: string;
	created: Timestamp;
}

/** What a bearer of it may do: each scope includes those before it. */
export const SCOPES = ["read", "deploy", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** A token's key is its id, which its hash begins with. */
export interface TokenDocument {
	/** SHA-256 of the token, in hexadecimal. */
	hash: string;
	/** What a person calls it. */
	label: string;
	scope: Scope;
	/** The one tenant that it acts for; `null` for every tenant. */
	tenant: TenantName | null;
	/** The functions that it acts on; `null` for all of its tenant's. */
	functions: FunctionName[] | null;
	created: Timestamp;
	/** `null` for never. */
	expires: Timestamp | null;
}

/** A KV namespace or a SQL database of a tenant's. Its key is `<tenant>/<id>`. */
export interface TitledDocument {
	/** 32 hexadecimal digits, or a UUID, or what a binding called it that was there first. */
	id: string;
	tenant: TenantName;
	/** What people call it: no two of a tenant have the same. */
	title: string;
	created: Timestamp;
}

/** Where events come from. Its key is `<tenant>/<name>`. */
export interface SourceDocument {
	tenant: TenantName;
	name: string;
	scheme: SchemeName;
	/** What they are signed with, or show. */
	secrets: SealedSecret[];
	rules: Rule[];
	created: Timestamp;
}

/** When there are alerts. Its key is `<tenant>/<name>`; the operator's begin with the slash. */
export interface AlertRuleDocument {
	/** `null` for the operator's. */
	tenant: TenantName | null;
	name: string;
	settings: RuleSettings;
	created: Timestamp;
	changed: Timestamp;
}

/** Who is told of alerts. Its key is like a rule's. */
export interface AlertReceiverDocument {
	tenant: TenantName | null;
	name: string;
	settings: ReceiverSettings;
	/** Its URL, and what it knows the sender by; of the URL its origin is told. */
	address: SealedSecret;
	origin: string;
	hasSecret: boolean;
	created: Timestamp;
	changed: Timestamp;
}

/** Of which alerts nobody is told for a while. Its key is `<tenant>/<id>`. */
export interface AlertSilenceDocument {
	id: string;
	tenant: TenantName | null;
	matchers: string[];
	from: Timestamp;
	until: Timestamp;
	by: string;
	comment: string;
	created: Timestamp;
}

/** All kinds of documents that there are. */
export interface Documents {
	tenant: TenantDocument;
	function: FunctionDocument;
	version: VersionDocument;
	release: ReleaseDocument;
	hostname: HostnameDocument;
	queue: QueueDocument;
	bucket: BucketDocument;
	token: TokenDocument;
	source: SourceDocument;
	alertRule: AlertRuleDocument;
	alertReceiver: AlertReceiverDocument;
	alertSilence: AlertSilenceDocument;
	/**
	 * A file of a function's sites. Its key is `<tenant>/<name>/<hash>`, by what its client calls it: wrangler's hash is
	 * taken on trust, so that nobody else's files are known by it.
	 */
	asset: Asset;
	kvNamespace: TitledDocument;
	/** Which namespace has a title. Its key is `<tenant>/<title>`. */
	kvTitle: { id: string };
	/** One that is no more, and whose entries are being removed. Its key is `<tenant>/<id>`. */
	kvRemoved: { tenant: TenantName; id: string };
	/** The same three of SQL databases. */
	sqlDatabase: TitledDocument;
	sqlTitle: { id: string };
	sqlRemoved: { tenant: TenantName; id: string };
}
export type Kind = keyof Documents;
