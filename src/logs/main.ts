/**
 * The log process: keeps invocations and what they have logged in one folder, and does what it is asked to over frames on
 * descriptor 3. Nothing of it takes long: queries run in steps, and what comes is stored between them.
 */
import { Socket } from "node:net";
import { DataKind, readDataCall, writeDataAnswer } from "../link/data-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import type { Tally } from "../observe/tally.ts";
import { type Done, Refused } from "../stores/store.ts";
import type { Bytes, EpochMs, Milliseconds } from "../units.ts";
import type { LogQuery, RollupQuery } from "./calls.ts";
import { QueryError } from "./query/query-error.ts";
import { RollupStore } from "./rollups/rollup-store.ts";
import { Search } from "./search/search.ts";
import { type Bounds, Segments } from "./store/segments.ts";
import { type Batch, Writer } from "./store/writer.ts";
import { type Stepwise, Turns } from "./turns.ts";

const MAX_FRAME_BYTES: Bytes = 8 * 2 ** 20;
const TIDY_MS: Milliseconds = 1000;
const MOST_WORDS = 20;

const [, , folder, bounds] = process.argv;
/** What an operator should know, until control has asked for something. */
const words: string[] = [];
const word = (text: string) => {
	if (words.length < MOST_WORDS) words.push(text);
};
const segments = new Segments(folder, JSON.parse(bounds) as Bounds, word);
const writer = new Writer(segments, word);
const turns = new Turns();
const rollups = new RollupStore(folder, word);

interface Added {
	session: string;
	number: number;
	steps: { time: EpochMs; tallies: Tally[] }[];
}

const stores: Record<string, Record<string, (said: never, bytes: Buffer) => Done | Promise<Done>>> = {
	logs: {
		append: async (batch: Batch, bytes) => ({
			said: { taken: await writer.take(batch, bytes), words: words.splice(0) },
		}),
		query: (query: LogQuery) => found(query, new Search(segments, query)),
	},
	rollups: {
		add: ({ session, number, steps }: Added) => {
			rollups.add(session, number, steps);
			return { said: { words: words.splice(0) } };
		},
		query: (query: RollupQuery) => found(query, rollups.search(query)),
	},
};

async function found({ tenant }: LogQuery | RollupQuery, search: Stepwise<object>): Promise<Done> {
	return { bytes: Buffer.from(JSON.stringify(await turns.run(tenant ?? "", search))) };
}

const socket = new Socket({ fd: 3, readable: true, writable: true });
const link = new FrameWriter(socket);

async function answer({ id, store, operation, said, bytes }: ReturnType<typeof readDataCall>): Promise<void> {
	try {
		const { said: text = null, bytes: content } = await stores[store][operation](said as never, bytes);
		writeDataAnswer(link, { kind: DataKind.done, id, text: JSON.stringify(text), bytes: content });
	} catch (error) {
		writeDataAnswer(link, { kind: DataKind.refused, id, text: wordsOf(error as Error) });
	}
	link.flush();
}

/** Nobody who asks learns where files are. */
function wordsOf(error: Error): string {
	if (error instanceof Refused) return error.message;
	if (error instanceof QueryError) return `400 query: ${error.message}`;
	word(error.message);
	return "500 the log cannot be used";
}

/** Removes what is too old or too much, a part at a time. */
function tidy(): void {
	try {
		if (segments.tidy()) {
			setImmediate(tidy);
			return;
		}
		rollups.tidy(Date.now(), segments.isClockTrusted);
	} catch (error) {
		word(`the log cannot be tidied: ${(error as Error).message}`);
	}
	setTimeout(tidy, TIDY_MS);
}
setTimeout(tidy, TIDY_MS);

const reader = new FrameReader({ maxBytes: MAX_FRAME_BYTES }, (frame) => {
	const call = readDataCall(frame);
	// The frame's bytes are good until the next one.
	void answer({ ...call, bytes: Buffer.from(call.bytes) });
});
const end = () => {
	writer.close();
	segments.close();
	rollups.close();
	process.exit(0);
};
socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", end);
socket.on("error", end);
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
