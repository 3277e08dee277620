import type { Socket } from "node:net";
import { BODY_FIELDS, readCommand } from "../src/link/commands.ts";
import { FrameReader } from "../src/link/frame-reader.ts";
import { Kind } from "../src/link/messages.ts";
import type { RequestStart, SandboxCommands } from "../src/link/protocol.ts";
import { type LaunchEvents, Launcher } from "../src/processes/launcher.ts";
import { type HostileFrame, type OwnNumbers, renderFrame } from "./generators/hostile-frame.ts";

/** So begin the names of functions whose sandboxes are taken over. */
export const TAKEN = "taken";

/** What is said on the link of whichever sandbox runs a function, once it is asked for. */
export interface Takeover {
	/** The function's hostname. */
	hostname: string;
	frames: HostileFrame[];
	/** How many bytes each read of the edge gets at most. */
	piece: number;
}

/** The function has begun by then, and nothing is on its way. */
const DELAY_MS = 5;

const unheard = () => undefined;
const DEAF: Omit<SandboxCommands, "request"> = {
	expect: unheard,
	load: unheard,
	unload: unheard,
	keep: unheard,
	endProfile: unheard,
	preload: unheard,
	reuse: unheard,
	forget: unheard,
	message: unheard,
	clogged: () => false,
};

/** The links of all sandboxes, on which somebody who has got out of V8 says what no honest sandbox would. */
export class LinkTap {
	takeover: Takeover | null = null;

	constructor() {
		const tap = this;
		const { launch } = Launcher.prototype;
		Launcher.prototype.launch = function (this: Launcher, what, events) {
			return launch.call(this, what, tap.#tapped(events));
		};
	}

	#tapped(events: LaunchEvents): LaunchEvents {
		return {
			onLaunched: (pid, link) => {
				this.#listen(link);
				events.onLaunched(pid, link);
			},
			onEnded: (how) => events.onEnded(how),
		};
	}

	/** Reads what the edge writes, to learn by which numbers it knows the function's request. */
	#listen(link: Socket): void {
		const commands: SandboxCommands = {
			...DEAF,
			request: ({ attempt, version, head }: RequestStart) => {
				const { takeover } = this;
				if (takeover === null || !head.includes(`//${takeover.hostname}/`)) return;
				this.takeover = null;
				setTimeout(() => speak(link, write, takeover, { attempt, version }), DELAY_MS);
			},
		};
		const reader = new FrameReader({ maxBytes: Number.MAX_SAFE_INTEGER, bodyFields: BODY_FIELDS }, (frame) => {
			if (frame.kind === Kind.request) readCommand(frame, commands);
		});
		const write = link.write.bind(link);
		link.write = ((chunk: Buffer, ...rest: []) => {
			const written = write(chunk, ...rest);
			reader.read(chunk);
			return written;
		}) as Socket["write"];
	}
}

/** Says it all, in both directions. */
function speak(link: Socket, write: Socket["write"], { frames, piece }: Takeover, own: OwnNumbers): void {
	for (const frame of frames) {
		const bytes = renderFrame(frame, own);
		for (let copy = 0; copy < frame.times && !link.destroyed; copy++) {
			if (frame.to === "sandbox") write(bytes);
			else for (let at = 0; at < bytes.length; at += piece) link.emit("data", bytes.subarray(at, at + piece));
		}
	}
}
