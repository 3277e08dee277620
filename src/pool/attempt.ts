import { BodySender } from "../effects/body.ts";
import type { Effects } from "../effects/effects.ts";
import { type FetchHead, Kind, type ResponseHead } from "../link/messages.ts";
import type {
	AttemptFailure,
	AttemptId,
	AttemptReport,
	OwnerNumber,
	SandboxCommands,
	VersionNumber,
} from "../link/protocol.ts";
import type { RunnableVersion, TurnBounds } from "./runnable-version.ts";

/** What becomes of an attempt, told to the invocation that it is an attempt at. */
export interface AttemptOwner {
	onResponse(head: ResponseHead, body: Uint8Array | null): void;
	onChunk(bytes: Uint8Array): void;
	onEnd(failure: string): void;
	onException(description: { code: "exception" | "invalid_response"; message: string; stack: string }): void;
	onLog(line: string): void;
	/** The function has reached a limit, which its isolate keeps. */
	onExceeded(limit: "timers"): void;
	onDone(report: AttemptReport): void;
	onFailed(failure: AttemptFailure, report: AttemptReport): void;
	/** The function says something over its WebSocket. */
	onSocketMessage(data: string | Uint8Array): void;
	/** The function has taken so many bytes of the client's messages. */
	onSocketTaken(bytes: number): void;
	onSocketClose(code: number, reason: string): void;
	/** Whether the request may be started again, given whether this attempt has done anything that was seen outside. */
	mayRunAgain(hasEffects: boolean): boolean;
	/** The attempt was given up in favour of another, elsewhere. */
	onMoved(): void;
	/** The sandbox died, or had to be killed, while this attempt's turn ran. */
	onCulprit(): void;
	/** The sandbox is gone. `running` tells whether it was this attempt's turn that ran. */
	onLost(running: boolean): void;
	/** The request's body broke off, or grew beyond its limit. */
	onBodyFailure(error: Error): void;
}

/**
 * One run of one request on one sandbox. All that the function does outside its isolate passes through here, and nothing
 * of it counts any more once the attempt is revoked.
 */
export class Attempt {
	readonly id: AttemptId;
	readonly version: VersionNumber;
	readonly ownerNumber: OwnerNumber;
	readonly bounds: TurnBounds;
	readonly #commands: SandboxCommands;
	readonly #owner: AttemptOwner;
	readonly #effects: Effects;
	#body: BodySender | null = null;
	/** The operation of its WebSocket; 0 if it has none. */
	#socket = 0;
	/** Whether anything it did has been seen outside, so that it cannot be undone by running it again. */
	hasEffects = false;
	#revoked = false;
	/** Another attempt has taken its place: what becomes of this one matters to nobody. */
	#superseded = false;

	constructor(
		id: AttemptId,
		{ number, ownerNumber, limits }: RunnableVersion,
		commands: SandboxCommands,
		owner: AttemptOwner,
		effects: Effects,
	) {
		this.id = id;
		this.version = number;
		this.ownerNumber = ownerNumber;
		this.#commands = commands;
		this.#owner = owner;
		this.#effects = effects;
		this.bounds = limits;
	}

	start(cpuMs: number, light: boolean, head: string, body: Uint8Array | AsyncIterable<Uint8Array> | null): void {
		const whole = body instanceof Uint8Array ? body : undefined;
		this.#commands.request(this.id, this.version, cpuMs, light, head, whole);
		if (body !== null && whole === undefined) void this.#sendBody(body as AsyncIterable<Uint8Array>);
	}

	async #sendBody(body: AsyncIterable<Uint8Array>): Promise<void> {
		this.#body = new BodySender();
		try {
			if (await this.#body.send(body, (piece) => this.#send(Kind.body, 0, "", piece))) this.#send(Kind.end, 0, "");
		} catch (error) {
			this.#send(Kind.end, 0, "the request's body broke off");
			if (!this.#revoked) this.#owner.onBodyFailure(error as Error);
		}
	}

	#send(kind: Kind, op: number, text: string, data?: Uint8Array | number): void {
		if (!this.#revoked) this.#commands.message(kind, this.id, op, text, data);
	}

	/** The receiver of the response's body has taken so many bytes. */
	credit(bytes: number): void {
		this.#send(Kind.credit, 0, "", bytes);
	}

	/** The client says something over the WebSocket `op`. */
	socketMessage(op: number, data: string | Uint8Array): void {
		if (typeof data === "string") this.#send(Kind.socket, op, data);
		else this.#send(Kind.socket, op, "", data);
	}

	socketClose(op: number, code: number, reason: string): void {
		this.#send(Kind.socketClose, op, JSON.stringify([code, reason]));
	}

	/** The client has gone, or takes no more of the response. */
	abort(): void {
		this.#body?.cancel();
		this.#send(Kind.abort, 0, "");
	}

	/** Ends the attempt: what it still does is dropped, and its sandbox is told to forget it. */
	revoke(): void {
		if (this.#revoked) return;
		this.#send(Kind.drop, 0, "");
		this.#release();
	}

	/** Another turn keeps this attempt waiting: it is run elsewhere, if it may be. */
	move(): void {
		if (this.#revoked || !this.#owner.mayRunAgain(this.hasEffects)) return;
		this.revoke();
		this.#superseded = true;
		this.#owner.onMoved();
	}

	#release(): void {
		this.#revoked = true;
		this.#body?.cancel();
		this.#effects.cancelAll();
	}

	// What follows comes from the sandbox.

	message(kind: Kind, op: number, text: string, data: Uint8Array | number | undefined): void {
		if (this.#revoked) return;
		switch (kind) {
			case Kind.response:
				this.#onResponse(JSON.parse(text) as ResponseHead, (data as Uint8Array | undefined) ?? null);
				break;
			case Kind.socket:
				if (op === this.#socket) this.#owner.onSocketMessage((data as Uint8Array | undefined) ?? text);
				break;
			case Kind.socketClose: {
				const [code, reason] = JSON.parse(text) as [number, string];
				if (op === this.#socket) this.#owner.onSocketClose(Number(code), String(reason));
				break;
			}
			case Kind.body:
				if (op === 0) this.#owner.onChunk(data as Uint8Array);
				else this.#effects.chunk(op, data as Uint8Array);
				break;
			case Kind.end:
				if (op === 0) this.#owner.onEnd(text);
				else this.#effects.end(op, text);
				break;
			case Kind.credit:
				if (op === 0) this.#body?.credit(Number(data));
				else if (op === this.#socket) this.#owner.onSocketTaken(Number(data));
				else this.#effects.credit(op, Number(data));
				break;
			case Kind.cancel:
				if (op === 0) this.#body?.cancel();
				else this.#effects.cancel(op);
				break;
			case Kind.fetch:
				this.hasEffects = true;
				this.#effects.fetch(
					op,
					JSON.parse(text) as FetchHead,
					data as Uint8Array | undefined,
					(answerKind, answer, bytes) => this.#send(answerKind, op, answer, bytes),
				);
				break;
			case Kind.log:
				this.#owner.onLog(text);
				break;
			case Kind.exceeded:
				if (text === "timers") this.#owner.onExceeded(text);
				break;
			case Kind.exception:
				this.#owner.onException(JSON.parse(text) as Parameters<AttemptOwner["onException"]>[0]);
				break;
		}
	}

	#onResponse(head: ResponseHead, body: Uint8Array | null): void {
		if (head.socket !== undefined) this.#socket = head.socket;
		this.#owner.onResponse(head, body);
	}

	done(report: AttemptReport): void {
		this.#release();
		if (!this.#superseded) this.#owner.onDone(report);
	}

	failed(failure: AttemptFailure, report: AttemptReport): void {
		const revoked = this.#revoked;
		this.#release();
		if (this.#superseded) return;
		if (revoked) this.#owner.onDone(report);
		else this.#owner.onFailed(failure, report);
	}

	lost(running: boolean): void {
		this.#release();
		if (running) this.#owner.onCulprit();
		if (!this.#superseded) this.#owner.onLost(running);
	}
}
