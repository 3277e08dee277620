/**
 * A data process: keeps in one folder what tenants' functions store, and does what it is asked to over frames on
 * descriptor 3. What is asked in one batch is written to the disk at once, and acknowledged then.
 */
import { Socket } from "node:net";
import { join } from "node:path";
import { AnalyticsStore } from "../bindings/analytics/store.ts";
import { CachesStore } from "../bindings/caches/store.ts";
import { KvStore } from "../bindings/kv/store.ts";
import { ObjectStore } from "../bindings/objects/store.ts";
import { QueueStore } from "../bindings/queue/store.ts";
import { DataKind, readDataCall, writeDataAnswer } from "../link/data-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import { Blobs } from "../stores/blobs.ts";
import { Copies } from "../stores/copies.ts";
import { CronStore } from "../stores/cron-store.ts";
import { openDatabase, openRelaxed } from "../stores/database.ts";
import { Outbox } from "../stores/outbox.ts";
import { Quota } from "../stores/quota.ts";
import { type DataFiles, type DataStore, type Done, Refused } from "../stores/store.ts";
import { Volume } from "../stores/volume.ts";
import { InvocationStore } from "../triggers/invocation-store.ts";
import type { Bytes } from "../units.ts";

/** So much may come in of a tenant, however little room it has: it may take the place of what is there. */
const MOST_INCOMING: Bytes = 256 * 2 ** 20;

const MAX_FRAME_BYTES: Bytes = 8 * 2 ** 20;

type Call = ReturnType<typeof readDataCall>;
type Stores = Record<string, DataStore>;

const [, , folder] = process.argv;
const database = openDatabase(folder);
const blobs = new Blobs(folder);
const quota = new Quota(database);
const files: DataFiles = { database, blobs, quota, outbox: new Outbox(database, quota) };
const queue = new QueueStore(files);
const stores: Record<string, DataStore> = {
	kv: new KvStore(files),
	objects: new ObjectStore(files),
	queue,
	invocations: new InvocationStore(files, queue),
	cron: new CronStore(files),
};
sweep(blobs, Object.values(stores));
const lasting = new Volume(database, blobs, { lasting: true });

/** What may be lost has a volume of its own, so that it waits for no disk, and nobody for it; `null` without one. */
function openRelaxedVolume(): Volume | null {
	const relaxedFolder = join(folder, "relaxed");
	try {
		const lasting = false;
		return new Volume(openRelaxed(relaxedFolder), new Blobs(relaxedFolder, { lasting }), { lasting });
	} catch (error) {
		process.stderr.write(`${relaxedFolder}: ${(error as Error).message}\n`);
		return null;
	}
}
const relaxed = openRelaxedVolume();
const relaxedStores: Stores = {};
if (relaxed !== null) {
	relaxedStores.caches = new CachesStore(relaxed);
	relaxedStores.analytics = new AnalyticsStore(relaxed);
	sweep(relaxed.blobs, Object.values(relaxedStores));
}

function sweep(among: Blobs, known: DataStore[]): void {
	among.sweep(new Set(known.flatMap((store) => [...(store.blobs?.() ?? [])])));
}

interface Append {
	tenant: string;
	name: string;
	/** How large the value may be, and how much the tenant may store with it. */
	most: Bytes;
	mostBytes: Bytes;
	hashes: string[];
}

const incomingTo = (blobs: Blobs, usedBy: (tenant: string) => Bytes) => ({
	append: async ({ tenant, name, most, mostBytes, hashes }: Append, bytes: Buffer): Promise<Done> => {
		const room = Math.max(MOST_INCOMING, mostBytes - usedBy(tenant));
		return { said: await blobs.append(tenant, name, bytes, { most, room, hashes }) };
	},
	finish: async ({ tenant, name }: { tenant: string; name: string }): Promise<Done> => {
		await blobs.finish(tenant, name);
		return {};
	},
	discard: ({ name }: { name: string }): Done => {
		blobs.discard(name);
		return {};
	},
	piece: async ({ tenant, reading }: { tenant: string; reading: string }): Promise<Done> => ({
		bytes: await blobs.piece(tenant, reading),
	}),
	close: ({ reading }: { reading: string }): Done => {
		blobs.close(reading);
		return {};
	},
});
const copies = new Copies(folder);
const copying = {
	hold: (): Done => {
		blobs.hold();
		return {};
	},
	begin: ({ name }: { name: string }): Done => {
		copies.begin(name);
		return {};
	},
	made: ({ name }: { name: string }): Done => ({ said: copies.isMade(name) }),
};
stores.copies = { writes: {}, reads: copying };
stores.blobs = { writes: {}, reads: incomingTo(blobs, (tenant) => quota.usedBy(tenant)) };
if (relaxed !== null) relaxedStores.relaxedBlobs = { writes: {}, reads: incomingTo(relaxed.blobs, () => 0) };

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
let batch: Call[] = [];

type Answer = Parameters<typeof writeDataAnswer>[1];

/** Does all that was asked for, in one transaction of each volume in which anything of it changes what is kept. */
function run(): void {
	const calls = batch;
	batch = [];
	const apart = relaxed === null ? [] : calls.filter(({ store }) => store in relaxedStores);
	if (relaxed !== null && apart.length > 0) perform(relaxed, relaxedStores, apart);
	const rest = apart.length === 0 ? calls : calls.filter(({ store }) => !(store in relaxedStores));
	perform(lasting, stores, rest);
}

function perform(volume: Volume, among: Stores, calls: Call[]): void {
	const answers = calls.some((call) => isWrite(among, call))
		? inTransaction(volume, among, calls)
		: calls.map((call) => answerTo(among, call));
	for (const answer of answers) {
		if (!(answer instanceof Promise)) writeDataAnswer(writer, answer);
		else
			void answer.then((later) => {
				writeDataAnswer(writer, later);
				writer.flush();
			});
	}
	writer.flush();
}

function isWrite(among: Stores, { store, operation }: Call): boolean {
	return store in among && operation in among[store].writes;
}

function inTransaction(volume: Volume, among: Stores, calls: Call[]): (Answer | Promise<Answer>)[] {
	const isSynced = calls.some((call) => isWrite(among, call) && !among[call.store].unsynced?.has(call.operation));
	try {
		return volume.transaction(() => calls.map((call) => answerWithin(volume, among, call)), isSynced);
	} catch (error) {
		return calls.map((call) => refusalOf(call, error));
	}
}

function answerTo(among: Stores, call: Call): Answer | Promise<Answer> {
	const { store, operation, said, bytes } = call;
	if (!(store in among)) return refusalOf(call, new Refused("500 the database of what may be lost cannot be used"));
	const { writes, reads } = among[store];
	try {
		const done = (writes[operation] ?? reads[operation])(said as never, bytes);
		if (!(done instanceof Promise)) return answerOf(call, done);
		return done.then(
			(later) => answerOf(call, later),
			(error) => refusalOf(call, error),
		);
	} catch (error) {
		return refusalOf(call, error);
	}
}

/** The same within a transaction: what fails undoes what it has changed, and nothing of the others. */
function answerWithin(volume: Volume, among: Stores, call: Call): Answer | Promise<Answer> {
	if (!isWrite(among, call)) return answerTo(among, call);
	return volume.part(
		() => answerTo(among, call),
		(answer) => {
			if (answer instanceof Promise || answer.kind !== DataKind.refused) return true;
			// Of a disk that is full, or fails, SQLite has undone all of the batch: none of it is acknowledged.
			if (!volume.database.isTransaction) throw new Refused(answer.text);
			return false;
		},
	);
}

function answerOf({ id }: Call, { said = null, bytes }: Done): Answer {
	return { kind: DataKind.done, id, text: JSON.stringify(said), bytes };
}

function refusalOf({ id }: Call, error: unknown): Answer {
	const text = error instanceof Refused ? error.message : `500 ${describe(error)}`;
	return { kind: DataKind.refused, id, text };
}

/** What SQLite, or the file system, says of a disk that is full or fails; no function learns where that is. */
function describe(error: unknown): string {
	const { message, code = "" } = error as Error & { code?: string };
	process.stderr.write(`${message}\n`);
	return /full|ENOSPC|EDQUOT/.test(`${message} ${code}`) ? "the disk is full" : "it could not be stored";
}

const reader = new FrameReader({ maxBytes: MAX_FRAME_BYTES }, (frame) => {
	const call = readDataCall(frame);
	// The frame's bytes are good until the next one.
	batch.push({ ...call, bytes: Buffer.from(call.bytes) });
	if (batch.length === 1) setImmediate(run);
});
socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
