/**
 * A process of SQL: keeps the databases of one tenant in one folder, and runs there what that tenant's functions write. It
 * does what it is asked to over frames on descriptor 3, one call after the other.
 */
import { closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataKind, readDataCall, writeDataAnswer } from "../link/data-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import type { Bytes, Milliseconds } from "../units.ts";
import { type Result, type SqlCall, SqlDatabase } from "./database.ts";
import { type DumpOptions, dump } from "./dump.ts";
import { problemOf, SqlProblem } from "./problem.ts";
import { queriesIn, queryIn } from "./query.ts";

const MAX_FRAME_BYTES: Bytes = 8 * 2 ** 20;
/** So many databases are open at a time. */
const MOST_OPEN = 8;
/** What the others of the tenant have is looked at so often. */
const LOOK_MS: Milliseconds = 1000;
/** A dump is written in pieces of so many letters. */
const PIECE = 64 * 1024;

/** What each call says of the database that it is for. */
interface Said {
	database: string;
	/** How large the database may become, and all of the tenant's together. */
	mostOfDatabase: Bytes;
	mostOfTenant: Bytes;
}

interface Done {
	text?: string;
	bytes?: Buffer;
}

type Call = ReturnType<typeof readDataCall>;

const [, , folder] = process.argv;
const open = new Map<string, SqlDatabase>();
const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);

const nameOf = (database: string) => `${database}.sqlite`;

let looked: Milliseconds = Number.NEGATIVE_INFINITY;
let sizes = new Map<string, Bytes>();

/** How much the tenant's other databases have. */
function othersThan(database: string): Bytes {
	if (performance.now() > looked + LOOK_MS) {
		const names = readdirSync(folder).filter((name) => name.endsWith(".sqlite"));
		sizes = new Map(names.map((name) => [name, statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0]));
		looked = performance.now();
	}
	for (const [name, one] of open) sizes.set(nameOf(name), one.size);
	let bytes = 0;
	for (const [name, size] of sizes) if (name !== nameOf(database)) bytes += size;
	return bytes;
}

function opened({ database, mostOfDatabase, mostOfTenant }: Said): SqlDatabase {
	const one = open.get(database) ?? new SqlDatabase(join(folder, nameOf(database)), begin);
	// The last used is the last to be closed.
	open.delete(database);
	open.set(database, one);
	const [oldest] = open.keys();
	if (open.size > MOST_OPEN) close(oldest);
	one.bound(Math.min(mostOfDatabase, mostOfTenant - othersThan(database)));
	return one;
}

function close(database: string): void {
	open.get(database)?.close();
	open.delete(database);
}

/** What is done together where several ask for it, since it waits for the disk. */
const statements: Record<string, (database: SqlDatabase, bytes: Buffer) => Result[]> = {
	query: (database, bytes) => [database.query(queryIn(bytes))],
	batch: (database, bytes) => database.batch(queriesIn(bytes)),
	script: (database, bytes) => database.script(queryIn(bytes)),
};

const operations: Record<string, (said: never, bytes: Buffer, id: number) => Done> = {
	exec: (said: Said, bytes, id) => {
		const before = performance.now();
		const count = opened(said).perform({ id, run: (database) => database.exec(bytes.toString()) });
		return { bytes: Buffer.from(JSON.stringify({ count, duration: performance.now() - before })) };
	},
	import: (said: Said & { file: string }, _, id) => {
		const script = readFileSync(join(folder, said.file), "utf8");
		const { count, meta } = opened(said).perform({ id, run: (database) => database.import(script) });
		return { text: JSON.stringify({ count, meta }) };
	},
	export: (said: Said & { file: string; options: DumpOptions }) => {
		const descriptor = openSync(join(folder, said.file), "wx", 0o600);
		try {
			let piece = "";
			for (const text of dump(opened(said), said.options)) {
				piece += text;
				if (piece.length < PIECE) continue;
				writeSync(descriptor, piece);
				piece = "";
			}
			writeSync(descriptor, piece);
		} finally {
			closeSync(descriptor);
		}
		return {};
	},
	about: (said: Said) => {
		const one = opened(said);
		const [[tables]] = [
			...one.rows("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"),
		];
		return { text: JSON.stringify({ size: one.size, tables: Number(tables) }) };
	},
	/** Makes the database where it is missing. */
	create: (said: Said) => {
		opened(said);
		return {};
	},
	drop: ({ database }: Said) => {
		close(database);
		for (const end of ["", "-wal", "-shm"]) rmSync(join(folder, nameOf(database) + end), { force: true });
		return {};
	},
	/** Writes a copy of a database, as it is at this moment, into a file of a name. */
	copy: ({ database, file }: Said & { file: string }) => {
		using one = new DatabaseSync(join(folder, nameOf(database)), { readOnly: true });
		one.prepare("VACUUM INTO ?").run(join(folder, file));
		return {};
	},
};

function answerOf(results: Result[]): Done {
	const all = results.map(
		({ columns, rows, meta }) =>
			`{"columns":${JSON.stringify(columns)},"rows":${rows.toJSON()},"meta":${JSON.stringify(meta)}}`,
	);
	return { bytes: Buffer.from(`[${all.join(",")}]`) };
}

/** In the socket's buffer before anything lasts, which this process may not live to tell of. */
function begin(calls: Iterable<number>): void {
	for (const id of calls) writeDataAnswer(writer, { kind: DataKind.begun, id, text: "" });
	writer.flush();
}

/** What whoever asks may read: no function learns where files are. */
function wordsOf(error: unknown): string {
	const { errcode, message } = error as Error & { errcode?: number };
	if (error instanceof SqlProblem || errcode !== undefined) return problemOf(error).message;
	process.stderr.write(`${message}\n`);
	return "internal error: the database cannot be used";
}

function tell({ id }: Call, done: () => Done): void {
	try {
		const { text = "", bytes } = done();
		writeDataAnswer(writer, { kind: DataKind.done, id, text, bytes });
	} catch (error) {
		writeDataAnswer(writer, { kind: DataKind.refused, id, text: wordsOf(error) });
	}
}

const databaseOf = ({ said }: Call) => (said as Said).database;

/**
 * Whether a call's statements may be done with those of others, as none may that changes how a connection goes on, or when
 * keys are checked, however it is spelt.
 */
const mayJoin = ({ operation, bytes }: Call) =>
	operation in statements && !/pragma|deferrable|\\u/i.test(bytes.toString("latin1"));

/** Those that have come in, in their order. */
let calls: Call[] = [];

function run(): void {
	while (calls.length > 0) {
		const [first] = calls;
		let count = 0;
		while (count < calls.length && mayJoin(calls[count]) && databaseOf(calls[count]) === databaseOf(first)) count++;
		const done = count > 1 && !defers(first) ? runTogether(calls.slice(0, count)) : runAlone(first);
		calls = calls.slice(done);
		if (open.get(databaseOf(first))?.isStale) close(databaseOf(first));
		writer.flush();
	}
}

/** Whether a call's database has something that is checked with the commit; one that cannot be opened says so itself. */
function defers({ said }: Call): boolean {
	try {
		return opened(said as Said).defers;
	} catch {
		return false;
	}
}

/** Gives how many were done. */
function runTogether(some: Call[]): number {
	const asked = some.map(({ id, operation, bytes }): SqlCall<Result[]> => {
		return { id, run: (database) => statements[operation](database, bytes) };
	});
	let results: (Result[] | Error)[];
	try {
		results = opened(some[0].said as Said).group(asked);
	} catch (error) {
		results = some.map(() => error as Error);
	}
	for (const [i, result] of results.entries())
		tell(some[i], () => {
			if (result instanceof Error) throw result;
			return answerOf(result);
		});
	return results.length;
}

function runAlone(call: Call): number {
	const { id, operation, said, bytes } = call;
	tell(call, () => {
		if (!(operation in statements)) return operations[operation](said as never, bytes, id);
		return answerOf(opened(said as Said).perform({ id, run: (database) => statements[operation](database, bytes) }));
	});
	return 1;
}

const reader = new FrameReader({ maxBytes: MAX_FRAME_BYTES }, (frame) => {
	const call = readDataCall(frame);
	// The frame's bytes are good until the next one.
	calls.push({ ...call, bytes: Buffer.from(call.bytes) });
	if (calls.length === 1) setImmediate(run);
});
const end = () => {
	for (const one of open.values()) one.close();
	process.exit(0);
};
socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", end);
socket.on("error", end);
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
