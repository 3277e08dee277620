/**
 * A build process: it runs a function's top level for the first time, so it is confined like a sandbox. It makes the
 * base snapshot and code caches, one job at a time, asked over frames on descriptor 3.
 */
import { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import ivm from "isolated-vm";
import { CacheStore } from "../bindings/caches/sandbox.ts";
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
import type { Megabytes, Microseconds } from "../units.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
/** What compiles, and what is started, has an isolate that was made before. */
let parking: Parking | null = null;
const PARKED = 2;
/** The memory that compiling may take, and what most functions may. */
const COMPILE_MB = 512;
const USUAL_MB = 128;

function copyOut(copy: ivm.ExternalCopy<ArrayBuffer>): Uint8Array {
	const bytes = new Uint8Array(copy.copy());
	copy.release();
	return bytes;
}

function take(memoryMb: Megabytes): ParkedIsolate {
	return (parking as Parking).take(memoryMb);
}

/** An eager code cache of the script: every function in it compiled, so that none is when a request waits. */
function makeCodeCache({ isolate }: ParkedIsolate, code: string, filename: string): Uint8Array {
	setFlagsFromString("--no-lazy");
	try {
		const script = isolate.compileScriptSync(code, { filename, produceCachedData: true }) as ivm.Script & {
			cachedData?: ivm.ExternalCopy<ArrayBuffer>;
		};
		return script.cachedData === undefined ? new Uint8Array(0) : copyOut(script.cachedData);
	} finally {
		setFlagsFromString("--lazy");
		isolate.dispose();
	}
}

/**
 * Runs a function's top level to its end. Gives the handlers that it then has, and how long it took; rejects with
 * StartError.
 */
async function tryStart(parked: ParkedIsolate, image: Image): Promise<{ handlers: string[]; startUs: Microseconds }> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const listener: IsolateListener = {
		budget: () => 0,
		onOperation: () => undefined,
		onAnswer(starting, answer) {
			try {
				starting.resume(answer);
				if (!starting.starting) resolve();
			} catch (error) {
				reject(error as Error);
			}
		},
	};
	const isolate = new FunctionIsolate({ parked, version: 0, image, caches: new CacheStore(), listener });
	if (isolate.starting) await promise;
	isolate.dispose();
	const { handlers, startUs } = isolate;
	return { handlers, startUs };
}

/** The code cache of what compiles; what does not has none, and its start tells why. */
function compile(filename: string, code: Uint8Array): Uint8Array {
	try {
		return makeCodeCache(take(COMPILE_MB), Buffer.from(code).toString(), filename);
	} catch {
		return new Uint8Array(0);
	}
}

async function start(image: Image): Promise<StartResult> {
	writeStarting(writer, image.startupCpuMs);
	writer.flush();
	try {
		return { failure: null, ...(await tryStart(take(image.memoryMb), image)) };
	} catch (error) {
		if (!(error instanceof StartError)) throw error;
		return { failure: error.failure, handlers: [], startUs: 0 };
	}
}

const reader = new FrameReader({ maxBytes: 256 * 1024 * 1024 }, (frame) => {
	const { kind, text, data } = readBuildMessage(frame);
	if (kind === BuildKind.snapshot) {
		const { code, warmUp } = JSON.parse(text) as { code: string; warmUp: string };
		const made = ivm.Isolate.createSnapshot([{ code, filename: "atoll:prelude" }], warmUp);
		writeBuildMessage(writer, { kind, data: copyOut(made) });
	} else if (kind === BuildKind.base) {
		parking = new Parking(data, PARKED, USUAL_MB);
		dropPermissions();
	} else if (kind === BuildKind.compile) {
		writeBuildMessage(writer, { kind, data: compile(text, data) });
	} else {
		void start(readImage({ text, data })).then((result) => {
			writeBuildMessage(writer, { kind, text: JSON.stringify(result) });
			writer.flush();
		});
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
