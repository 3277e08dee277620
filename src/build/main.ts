/**
 * A build process: it runs a function's top level for the first time, so it is confined like a sandbox. It makes the
 * base snapshot and code caches, one job at a time, asked over frames on descriptor 3.
 */
import { Socket } from "node:net";
import ivm from "isolated-vm";
import { FunctionIsolate, type IsolateListener } from "../isolates/isolate.ts";
import type { ParkedIsolate } from "../isolates/parked.ts";
import { Parking } from "../isolates/parking.ts";
import { StartError } from "../isolates/start-error.ts";
import {
	BuildKind,
	readBuildMessage,
	readImage,
	type StartResult,
	writeBuildMessage,
	writeStarting,
} from "../link/build-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import type { Image } from "../link/protocol.ts";
import { dropPermissions } from "../processes/permissions.ts";
import type { Megabytes } from "../units.ts";
import { CodeCaches, copyOut } from "./code-caches.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
let codeCaches: CodeCaches | null = null;
/** What is started has an isolate that was made before. */
let parking: Parking | null = null;
const PARKED = 2;
/** The memory that most functions may take. */
const USUAL_MB: Megabytes = 128;

/** Runs a function's top level to its end. Gives the isolate, which has started then; rejects with StartError. */
async function tryStart(parked: ParkedIsolate, image: Image): Promise<FunctionIsolate> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const listener: IsolateListener = {
		budget: () => 0,
		onOperation: () => undefined,
		reusable: () => undefined,
		onAnswer(starting, answer) {
			try {
				starting.resume(answer);
				if (!starting.starting) resolve();
			} catch (error) {
				reject(error as Error);
			}
		},
	};
	const isolate = new FunctionIsolate({ parked, version: 0, image, listener });
	if (isolate.starting) await promise;
	return isolate;
}

/** Starts what it is asked to, and answers with what came of that. */
async function start(image: Image): Promise<void> {
	writeStarting(writer, image.startupCpuMs);
	writer.flush();
	try {
		const isolate = await tryStart((parking as Parking).take(image.memoryMb), image);
		const { handlers, startUs } = isolate;
		answer({ failure: null, handlers, startUs });
		// Nobody waits for that.
		isolate.dispose();
	} catch (error) {
		if (!(error instanceof StartError)) throw error;
		answer({ failure: error.failure, handlers: [], startUs: 0 });
	}
}

function answer(result: StartResult): void {
	writeBuildMessage(writer, { kind: BuildKind.start, text: JSON.stringify(result) });
	writer.flush();
}

const reader = new FrameReader({ maxBytes: 256 * 1024 * 1024 }, (frame) => {
	const { kind, text, data } = readBuildMessage(frame);
	if (kind === BuildKind.snapshot) {
		const { code, warmUp } = JSON.parse(text) as { code: string; warmUp: string };
		const made = ivm.Isolate.createSnapshot([{ code, filename: "atoll:prelude" }], warmUp);
		writeBuildMessage(writer, { kind, data: copyOut(made) });
	} else if (kind === BuildKind.base) {
		codeCaches = new CodeCaches(data);
		parking = new Parking(data, PARKED, USUAL_MB);
		dropPermissions();
	} else if (kind === BuildKind.compile) {
		writeBuildMessage(writer, { kind, data: (codeCaches as CodeCaches).make(text, data) });
		writer.flush();
		(codeCaches as CodeCaches).renew();
	} else {
		void start(readImage({ text, data }));
	}
});
socket.on("data", (chunk: Buffer) => {
	reader.read(chunk);
	writer.flush();
});
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
