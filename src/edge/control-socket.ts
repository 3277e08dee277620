import { connect, type Socket } from "node:net";
import type { Milliseconds } from "../units.ts";

/** Control is looked for again so long after it was lost, and less and less often. */
const FIRST_MS: Milliseconds = 50;

interface ControlSocketSettings {
	/** Where control listens. */
	path: string;
	/** It is looked for no less often than that. */
	longestMs: Milliseconds;
	onConnect: (socket: Socket) => void;
	onClose: () => void;
}

/** A connection to control, which is made again whenever it is lost. */
export class ControlSocket {
	readonly #settings: ControlSocketSettings;
	/** The last one that was made, or is being made. */
	#socket!: Socket;
	#retry: NodeJS.Timeout | null = null;
	#waitMs = FIRST_MS;
	#stopped = false;

	constructor(settings: ControlSocketSettings) {
		this.#settings = settings;
		this.#connect();
	}

	#connect(): void {
		const { path, longestMs, onConnect, onClose } = this.#settings;
		const socket = connect(path);
		this.#socket = socket;
		socket.on("error", () => undefined); // Of which its end tells.
		socket.on("connect", () => onConnect(socket));
		socket.on("close", () => {
			onClose();
			if (this.#stopped) return;
			this.#retry = setTimeout(() => this.#connect(), this.#waitMs).unref();
			this.#waitMs = Math.min(longestMs, this.#waitMs * 2);
		});
	}

	/** Control does what it is there for: once it is lost it is looked for at once. */
	isOfUse(): void {
		this.#waitMs = FIRST_MS;
	}

	/** Is not made again. Gives the last one, which is for its holder to end. */
	stop(): Socket {
		this.#stopped = true;
		if (this.#retry !== null) clearTimeout(this.#retry);
		return this.#socket;
	}
}
