import type { GivenBindings } from "../bindings/binding.ts";
import { Bucket } from "../bindings/objects/bucket.ts";
import type { BucketCount } from "../bindings/objects/calls.ts";
import { NOTHING_TOLD } from "../bindings/telling.ts";
import { bucketName, type TenantName, tenantName } from "../names.ts";
import type { TraceContext } from "../observe/trace-context.ts";
import type { StoredData } from "../stores/data-process.ts";
import type { Bytes } from "../units.ts";
import { usersOf } from "./catalog/released-bindings.ts";
import { ControlError } from "./control-error.ts";
import { checked } from "./json.ts";
import { tellingOf } from "./storage-tellings.ts";
import type { BucketDocument, Scope } from "./store/documents.ts";
import { type Change, type Entry, retried, type Store } from "./store/store.ts";

const MOST_BUCKETS = 1000;

/** What buckets are kept by. */
export interface BucketsParts {
	store: Store;
	data: StoredData;
	/** How much a tenant may store. */
	storedBytes: Bytes;
}

/** The buckets that tenants have. What is in them is kept by a data process. */
export class Buckets {
	readonly #store: Store;
	readonly #data: StoredData;
	readonly #storedBytes: Bytes;

	constructor({ store, data, storedBytes }: BucketsParts) {
		this.#store = store;
		this.#data = data;
		this.#storedBytes = storedBytes;
	}

	/** A tenant's, in the order of their names. */
	async list(tenant: TenantName): Promise<BucketDocument[]> {
		return (await this.#store.list("bucket", { prefix: `${tenant}/` })).map(({ value }) => value);
	}

	/** Throws ControlError `bucket_not_found`. */
	async find(tenant: TenantName, name: string): Promise<Entry<"bucket">> {
		const entry = await this.#store.get("bucket", `${tenant}/${name}`);
		if (entry === null)
			throw new ControlError(
				"bucket_not_found",
				`The specified bucket does not exist: the tenant ${tenant} has no bucket ${JSON.stringify(name)}`,
			);
		return entry;
	}

	/**
	 * What is in one, for whoever may read it or change it, at a place in a trace. Throws ControlError `bucket_not_found`.
	 */
	async open(tenant: TenantName, name: string, scope: Scope, trace: TraceContext | null = null): Promise<Bucket> {
		await this.find(tenant, name);
		if (scope === "read") return this.#opened(tenant, name);
		return this.#opened(tenant, name, await tellingOf(this.#store, tenant, { bucket: name }, trace));
	}

	#opened(tenant: TenantName, bucket: string, telling = NOTHING_TOLD): Bucket {
		return new Bucket(this.#data, { tenant, bucket }, this.#storedBytes, telling);
	}

	/** How much there is in one. Throws ControlError `bucket_not_found`. */
	async count(tenant: TenantName, name: string): Promise<BucketCount> {
		return (await this.open(tenant, name, "read")).count();
	}

	/** Throws ControlError `bucket_taken`, and `invalid` where the tenant has as many as it may. */
	async create(actor: string, tenant: TenantName, given: string): Promise<BucketDocument> {
		checked(tenantName, tenant, "the tenant's name");
		const name = checked(bucketName, given, "the bucket's name");
		const key = `${tenant}/${name}`;
		return retried(async () => {
			if ((await this.#store.get("bucket", key)) !== null)
				throw new ControlError(
					"bucket_taken",
					`The bucket you tried to create already exists, and you own it: ${name}`,
				);
			if ((await this.list(tenant)).length >= MOST_BUCKETS)
				throw new ControlError("invalid", `a tenant may have ${MOST_BUCKETS} buckets: remove one first`);
			const value: BucketDocument = { tenant, name, created: new Date().toISOString() };
			await this.#store.commit({ actor, action: "bucket.create", target: key }, [
				{ kind: "bucket", key, value, expected: 0 },
			]);
			return value;
		});
	}

	/**
	 * Removes one that is empty, with the uploads to it. Throws ControlError `bucket_not_found`, `bucket_not_empty`, and
	 * `conflict` as long as a version that is released is bound to it.
	 */
	async remove(actor: string, tenant: TenantName, name: string): Promise<void> {
		await retried(async () => {
			const { key, revision } = await this.find(tenant, name);
			const users = await usersOf(this.#store, tenant, (bound) => bucketsIn(bound).includes(name));
			if (users.length > 0)
				throw new ControlError(
					"conflict",
					`the bucket ${name} is used by ${users.join(", ")}: deploy them without it, or delete them first`,
				);
			if (!(await this.#opened(tenant, name).drop()))
				throw new ControlError("bucket_not_empty", `The bucket you tried to delete is not empty: ${name}`);
			await this.#store.commit({ actor, action: "bucket.remove", target: key }, [
				{ kind: "bucket", key, value: null, expected: revision },
			]);
		});
	}

	/**
	 * What is to be committed with a release of versions that have these bindings, so that the buckets that they name are
	 * not removed meanwhile. Throws ControlError `unknown_bucket` for one that is not there.
	 */
	async claims(tenant: TenantName, all: readonly GivenBindings[]): Promise<Change[]> {
		const claims: Change[] = [];
		for (const name of new Set(all.flatMap(bucketsIn))) {
			const entry = await this.#store.get("bucket", `${tenant}/${name}`);
			if (entry === null)
				throw new ControlError(
					"unknown_bucket",
					`R2 bucket '${name}' not found: make it (wrangler r2 bucket create ${name}), or bind none and let wrangler make it`,
				);
			claims.push({ kind: "bucket", key: entry.key, value: entry.value, expected: entry.revision });
		}
		return claims;
	}

	/** Makes those that bindings name and that are not there yet. */
	async introduce(actor: string, tenant: TenantName, bindings: GivenBindings): Promise<void> {
		for (const name of new Set(bucketsIn(bindings)))
			if ((await this.#store.get("bucket", `${tenant}/${name}`)) === null) await this.create(actor, tenant, name);
	}

	/** The buckets whose own rules tell a queue. */
	async telling(tenant: TenantName, queue: string): Promise<string[]> {
		const call = { store: "objects", operation: "telling", said: { tenant, queue } };
		return (await this.#data.ask(tenant, call)).said as string[];
	}
}

/** The buckets that bindings name. What is no name is for others to refuse. */
function bucketsIn(bindings: GivenBindings): string[] {
	return Object.values(bindings).flatMap(({ type, bucket }) =>
		type === "objects" && typeof bucket === "string" ? [bucket] : [],
	);
}
