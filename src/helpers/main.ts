/**
 * A helper process: it decompresses and maps for the edge what strangers made, so it is confined like a sandbox. It
 * does one thing at a time, in the order in which it is asked, over frames on descriptor 3.
 */
import { Socket } from "node:net";
import { LRUCache } from "lru-cache";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import { type HelperAnswer, HelperKind, readHelperRequest, writeHelperAnswer } from "../link/helper-frames.ts";
import type { VersionNumber } from "../link/protocol.ts";
import { dropPermissions } from "../processes/permissions.ts";
import type { Bytes } from "../units.ts";
import type { Coding } from "./coding.ts";
import { Decompression } from "./decompression.ts";
import type { StackRequest } from "./mapped-stack.ts";
import { SourceMap } from "./source-map.ts";
import { mapStack } from "./stack.ts";

const MAX_FRAME_BYTES: Bytes = 64 * 2 ** 20;
/**
 * So many bytes of source maps are kept, as they were before they were read; each of them takes up to three times as
 * much.
 */
const MAP_BYTES: Bytes = 40 * 2 ** 20;

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
const streams = new Map<number, Decompression>();
const maps = new LRUCache<VersionNumber, SourceMap>({ maxSize: MAP_BYTES, sizeCalculation: ({ bytes }) => bytes + 1 });

type Request = ReturnType<typeof readHelperRequest>;
type Answer = Pick<HelperAnswer, "kind"> & Partial<HelperAnswer>;

async function step({ id, kind, data }: Request): Promise<Answer> {
	const stream = streams.get(id);
	if (stream === undefined) throw new Error("there is no such stream");
	try {
		const { output, state } = await stream.step(data, kind === HelperKind.inputEnd);
		if (state === "ended") close(id);
		return { kind: HelperKind[state], data: output };
	} catch (error) {
		close(id);
		throw error;
	}
}

function close(id: number): void {
	streams.get(id)?.close();
	streams.delete(id);
}

/** Does what it is asked for; gives the answer, where there is to be one. */
async function perform(request: Request): Promise<Answer | null> {
	const { kind, id, text, data } = request;
	switch (kind) {
		case HelperKind.open:
			streams.set(id, new Decompression(text as Coding));
			return null;
		case HelperKind.drop:
			close(id);
			return null;
		case HelperKind.sourceMap:
			maps.set(id, new SourceMap(data));
			return { kind: HelperKind.done };
		case HelperKind.stack: {
			const map = maps.get(id);
			if (map === undefined) return { kind: HelperKind.lacking };
			return { kind: HelperKind.done, text: JSON.stringify(mapStack(JSON.parse(text) as StackRequest, map)) };
		}
		case HelperKind.profile: {
			const map = maps.get(id);
			if (map === undefined) return { kind: HelperKind.lacking };
			const { mapProfile } = await import("./profile.ts");
			return { kind: HelperKind.done, data: Buffer.from(JSON.stringify(mapProfile(data, text, map))) };
		}
		default:
			return step(request);
	}
}

async function handle(request: Request): Promise<void> {
	const before = process.cpuUsage();
	let answer: Answer | null;
	try {
		answer = await perform(request);
	} catch (error) {
		answer = { kind: HelperKind.failed, text: (error as Error).message };
	}
	if (answer === null) return;
	const { user, system } = process.cpuUsage(before);
	writeHelperAnswer(writer, { ...answer, us: user + system });
	writer.flush();
}

let last = Promise.resolve();
const reader = new FrameReader({ maxBytes: MAX_FRAME_BYTES }, (frame) => {
	const request = readHelperRequest(frame);
	last = last.then(() => handle(request));
});
dropPermissions();
socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
