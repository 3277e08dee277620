/**
 * A data process: keeps in one folder what tenants' functions store, and does what it is asked to over frames on
 * descriptor 3. What is asked in one batch is written to the disk at once, and acknowledged then.
 */
import { Socket } from "node:net";
import { KvStore } from "../bindings/kv/store.ts";
import { ObjectStore } from "../bindings/objects/store.ts";
import { QueueStore } from "../bindings/queue/store.ts";
import { DataKind, readDataCall, writeDataAnswer } from "../link/data-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import { Blobs } from "../stores/blobs.ts";
import { Copies } from "../stores/copies.ts";
import { CronStore } from "../stores/cron-store.ts";
import { openDatabase } from "../stores/database.ts";
import { Outbox } from "../stores/outbox.ts";
import { Quota } from "../stores/quota.ts";
import { type DataFiles, type DataStore, type Done, Refused } from "../stores/store.ts";
import type { Bytes } from "../units.ts";

/** So much may come in of a tenant, however little room it has: it may take the place of what is there. */
const MOST_INCOMING: Bytes = 256 * 2 ** 20;

const MAX_FRAME_BYTES: Bytes = 8 * 2 ** 20;

type Call = ReturnType<typeof readDataCall>;

const [, , folder] = process.argv;
const database = openDatabase(folder);
const blobs = new Blobs(folder);
const quota = new Quota(database);
const files: DataFiles = { database, blobs, quota, outbox: new Outbox(database, quota) };
const stores: Record<string, DataStore> = {
	kv: new KvStore(files),
	objects: new ObjectStore(files),
	queue: new QueueStore(files),
	cron: new CronStore(files),
};
blobs.sweep(new Set(Object.values(stores).flatMap((store) => [...(store.blobs?.() ?? [])])));

interface Append {
	tenant: string;
	name: string;
	/** How large the value may be, and how much the tenant may store with it. */
	most: Bytes;
	mostBytes: Bytes;
	hashes: string[];
}

const incoming = {
	append: async ({ tenant, name, most, mostBytes, hashes }: Append, bytes: Buffer): Promise<Done> => {
		const room = Math.max(MOST_INCOMING, mostBytes - quota.usedBy(tenant));
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
};
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
stores.blobs = { writes: {}, reads: incoming };

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
let batch: Call[] = [];

type Answer = Parameters<typeof writeDataAnswer>[1];

/** Does all that was asked for, in one transaction where anything of it changes what is kept. */
function run(): void {
	const calls = batch;
	batch = [];
	const answers = calls.some(({ store, operation }) => operation in stores[store].writes)
		? inTransaction(calls)
		: calls.map(answerTo);
	for (const answer of answers) {
		if (answer instanceof Promise) void answer.then(tell);
		else tell(answer);
	}
}

function tell(answer: Answer): void {
	writeDataAnswer(writer, answer);
	writer.flush();
}

function inTransaction(calls: Call[]): (Answer | Promise<Answer>)[] {
	try {
		database.exec("BEGIN IMMEDIATE");
		const answers = calls.map((call) => answerWithin(call));
		blobs.sync();
		database.exec("COMMIT");
		blobs.settle(true);
		return answers;
	} catch (error) {
		if (database.isTransaction) database.exec("ROLLBACK");
		blobs.settle(false);
		return calls.map((call) => refusalOf(call, error));
	}
}

function answerTo(call: Call): Answer | Promise<Answer> {
	const { store, operation, said, bytes } = call;
	const { writes, reads } = stores[store];
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
function answerWithin(call: Call): Answer | Promise<Answer> {
	const { store, operation } = call;
	if (!(operation in stores[store].writes)) return answerTo(call);
	database.exec("SAVEPOINT call");
	const mark = blobs.mark();
	const answer = answerTo(call);
	const isRefused = !(answer instanceof Promise) && answer.kind === DataKind.refused;
	if (isRefused) {
		database.exec("ROLLBACK TO call");
		blobs.undo(mark);
	}
	database.exec("RELEASE call");
	return answer;
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
