/** The sandbox process: takes commands from the link on descriptor 3, runs turns, and ends when the link does. */
import { Socket } from "node:net";
import { type Frame, FrameKind, FrameReader, FrameWriter } from "../link/frames.ts";
import type { Image, SandboxEvents, SandboxSettings } from "../link/protocol.ts";
import { noteWriter } from "../link/running-note.ts";
import { dropPermissions } from "../processes/confinement.ts";
import { IsolateHost } from "./host.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
let host: IsolateHost | null = null;

const events: SandboxEvents = {
	want: (version) => writer.write(FrameKind.want, 0, 0, version, ""),
	message: (kind, version, attempt, op, text, data) => writer.write(kind, attempt, op, version, text, data),
	done: (attempt, { cpuUs, startUs, light, memoryBytes }) =>
		writer.write(light ? FrameKind.done : FrameKind.doneHeavy, attempt, cpuUs, startUs, "", memoryBytes),
	failed: (attempt, failure, report) =>
		writer.write(FrameKind.failed, attempt, 0, 0, JSON.stringify({ failure, report })),
	stats: (stats) => writer.write(FrameKind.stats, 0, 0, 0, JSON.stringify(stats)),
	flush: () => writer.flush(),
};

function onFrame({ kind, attempt, op, version, text, data }: Frame): void {
	if (host === null) {
		if (kind !== FrameKind.settings) throw new Error("the first frame must hold the settings");
		const settings = JSON.parse(text) as Omit<SandboxSettings, "snapshot">;
		host = new IsolateHost({ ...settings, snapshot: data as Buffer }, events, noteWriter(4));
		dropPermissions();
		writer.write(FrameKind.ready, 0, 0, 0, "");
		return;
	}
	switch (kind) {
		case FrameKind.request:
			host.request(attempt, version, op, false, text, data as Buffer | undefined);
			break;
		case FrameKind.lightRequest:
			host.request(attempt, version, op, true, text, data as Buffer | undefined);
			break;
		case FrameKind.load: {
			const { codeBytes, ...image } = JSON.parse(text) as Omit<Image, "code" | "codeCache"> & { codeBytes: number };
			const bytes = data as Buffer;
			host.load(version, {
				...image,
				code: bytes.subarray(0, codeBytes),
				codeCache: bytes.subarray(codeBytes),
			});
			break;
		}
		case FrameKind.expect:
			host.expect(version);
			break;
		case FrameKind.unload:
			host.unload(version);
			break;
		case FrameKind.preload:
			host.preload(attempt, version);
			break;
		default:
			host.message(kind as Parameters<IsolateHost["message"]>[0], attempt, op, text, data);
	}
}

const reader = new FrameReader(256 * 1024 * 1024, onFrame);
socket.on("data", (chunk: Buffer) => {
	reader.read(chunk);
	host?.run();
	writer.flush();
});
// The edge holds the other end for as long as it lives; without it there is nothing left to do here.
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
// A terminal's Ctrl-C reaches the whole process group; the edge decides when a sandbox ends.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
