import { EventEmitter } from "./events.ts";

/** What a message of HTTP says of its connection, which is the edge's: who is at its other end. */
export class HttpSocket extends EventEmitter {
	remoteAddress: string | undefined;
	remotePort: number | undefined;
	remoteFamily: "IPv4" | "IPv6" | undefined;
	readonly localAddress = "127.0.0.1";
	localPort: number | undefined;
	encrypted: boolean;
	readable = true;
	writable = true;
	destroyed = false;
	connecting = false;
	readonly bytesRead = 0;
	readonly bytesWritten = 0;
	timeout = 0;
	readonly #onDestroy: (error?: Error) => void;

	constructor(encrypted: boolean, onDestroy: (error?: Error) => void) {
		super();
		this.encrypted = encrypted;
		this.#onDestroy = onDestroy;
	}

	/** Ends the message whose connection it is. */
	destroy(error?: Error): this {
		if (this.destroyed) return this;
		this.closed();
		this.#onDestroy(error);
		return this;
	}
	/** The message has come to its end. */
	closed(): void {
		if (this.destroyed) return;
		this.destroyed = true;
		this.readable = false;
		this.writable = false;
		queueMicrotask(() => this.emit("close", false));
	}
	address(): object {
		return { address: this.localAddress, family: "IPv4", port: this.localPort };
	}
	setTimeout(milliseconds: number, callback?: () => void): this {
		this.timeout = milliseconds;
		if (callback !== undefined) this.once("timeout", callback);
		return this;
	}
	setNoDelay(): this {
		return this;
	}
	setKeepAlive(): this {
		return this;
	}
	ref(): this {
		return this;
	}
	unref(): this {
		return this;
	}
	cork(): void {}
	uncork(): void {}
}
