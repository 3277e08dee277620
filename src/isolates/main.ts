/** The sandbox process: takes commands from the link on descriptor 3, runs turns, and ends when the link does. */
import { Socket } from "node:net";
import { BODY_FIELDS, readCommand, readSettings } from "../link/commands.ts";
import { EventWriter } from "../link/events.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import { noteWriter } from "../link/running-note.ts";
import { dropPermissions } from "../processes/permissions.ts";
import { giveBackWhenQuiet } from "../processes/spare-memory.ts";
import { IsolateHost } from "./host.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);
const events = new EventWriter(writer);
let host: IsolateHost | null = null;
/** Whether something has come since it was looked at last. */
let hasHeard = true;

const reader = new FrameReader({ maxBytes: 256 * 1024 * 1024, bodyFields: BODY_FIELDS }, (frame) => {
	if (host !== null) {
		readCommand(frame, host);
		return;
	}
	host = new IsolateHost(readSettings(frame), events, noteWriter(4));
	dropPermissions();
	events.ready();
	giveBackWhenQuiet(() => {
		const isQuiet = !hasHeard;
		hasHeard = false;
		return isQuiet;
	});
});
socket.on("data", (chunk: Buffer) => {
	hasHeard = true;
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
