import { BodySender, type BodyTarget } from "../bindings/body.ts";
import type { Calls } from "../bindings/calls.ts";
import { FrameError } from "../link/frame.ts";
import { Kind } from "../link/messages.ts";
import type { MessageData, Outgoing } from "../link/outgoing.ts";
import type { AttemptFailure, AttemptId, AttemptReport, SandboxCommands } from "../link/protocol.ts";
import { SendWindows } from "../link/send-windows.ts";
import { encodeSocketClose } from "../link/socket-close.ts";
import type { RunnableVersion, TurnBounds } from "./runnable-version.ts";

/** The event that an attempt runs. */
export interface AttemptEvent {
	/**
	 * What the function makes of the event: its response, messages of its WebSocket, its verdicts, or why there are
	 * none. They are well formed, but may be another kind of event's.
	 */
	hear(message: Outgoing): void;
}

/** What becomes of an attempt, told to the invocation that it is an attempt at. */
export interface AttemptListener {
	readonly version: RunnableVersion;
	readonly event: AttemptEvent;
	onLog(line: string): void;
	/** The function has reached a limit, which its isolate keeps. */
	onExceeded(limit: "timers"): void;
	onDone(report: AttemptReport): void;
	onFailed(failure: AttemptFailure, report: AttemptReport): void;
	/** Whether the event may be started again, given whether this attempt has done anything that was seen outside. */
	mayRunAgain(hasEffects: boolean): boolean;
	/** The attempt was given up in favour of another, elsewhere. */
	onMoved(): void;
	/** The function has made its isolate say what the prelude never says. */
	onForgery(): void;
	/**
	 * It has, and the attempt still runs: nothing more of it counts. `what` the function did ends a sentence about
	 * it.
	 */
	refuseForgery(what?: string): void;
	/** The sandbox died, or had to be killed, while this attempt's turn ran. */
	onCulprit(): void;
	/** The sandbox is gone. `running` tells whether it was this attempt's turn that ran. */
	onLost(running: boolean): void;
	/** The event's body broke off, or grew beyond its limit. */
	onBodyFailure(error: Error): void;
	/** Something went wrong in the edge itself: whatever was to be done with what the attempt said, or is to hear. */
	onFault(error: unknown): void;
}

/** The attempts at a version on one sandbox of which nothing has been heard: as far as is known they wait for a turn. */
export interface Queue {
	waiting: number;
}

/**
 * One run of one event on one sandbox. All that the function does outside its isolate passes through here, and nothing
 * of it counts any more once the attempt is revoked.
 */
export class Attempt {
	readonly id: AttemptId;
	readonly version: RunnableVersion;
	readonly #commands: SandboxCommands;
	readonly #listener: AttemptListener;
	readonly #calls: Calls;
	/** What comes with the event, where that is a stream. */
	#body: BodySender | null = null;
	/** The body that is handed on as the response's. */
	#handedOn: BodySender | null = null;
	/** Where it counts as waiting, until something is heard of it. */
	queue: Queue | null = null;
	/** When all that it was told has been sent. */
	#told: Promise<void> = Promise.resolve();
	/** The operation of its WebSocket, set by the event that has become one; 0 if it has none. */
	socket = 0;
	/**
	 * How much it may send of what it streams. Its sandbox sees to that; one that does not is no longer what it was.
	 */
	readonly #windows = new SendWindows();
	/** Whether anything it did has been seen outside, so that it cannot be undone by running it again. */
	hasEffects = false;
	#revoked = false;
	/** Another attempt has taken its place: what becomes of this one matters to nobody. */
	#superseded = false;

	constructor(id: AttemptId, commands: SandboxCommands, listener: AttemptListener, calls: Calls) {
		this.id = id;
		this.version = listener.version;
		this.#commands = commands;
		this.#listener = listener;
		this.#calls = calls;
	}

	/** How long its turns may take at most. */
	get bounds(): TurnBounds {
		return this.version.limits;
	}

	/** `cutMs` as in `RequestStart`. */
	start(cpuMs: number, cutMs: number, head: string, body: Uint8Array | AsyncIterable<Uint8Array> | null): void {
		const whole = body instanceof Uint8Array ? body : undefined;
		this.#commands.request({ attempt: this.id, version: this.version.number, cpuMs, cutMs, head, body: whole });
		if (body !== null && whole === undefined)
			this.#sendBody(body as AsyncIterable<Uint8Array>).catch((error) => this.#listener.onFault(error));
	}

	async #sendBody(body: AsyncIterable<Uint8Array>): Promise<void> {
		const sender = this.#newBody();
		this.#body = sender;
		try {
			if (await sender.send(body)) sender.end("");
		} catch (error) {
			if (!sender.isHandedOn) sender.end("the request's body broke off");
			if (!this.#revoked) this.#listener.onBodyFailure(error as Error);
		}
	}

	#newBody(): BodySender {
		return new BodySender(this.#calls.account, {
			chunk: (piece) => this.#send(Kind.body, 0, "", piece),
			end: (failure) => this.#send(Kind.end, 0, failure),
		});
	}

	/**
	 * Sends more of what comes with the event, after all that was sent of it before; the isolate waits for it. Rejects
	 * where it breaks off, or nobody waits any more.
	 */
	async tell(body: AsyncIterable<Uint8Array>): Promise<void> {
		this.#body ??= this.#newBody();
		const sender = this.#body;
		const sent = this.#told.then(async () => {
			const whole = !this.#revoked && (await sender.send(body));
			if (!whole || this.#revoked) throw new Error("the function is there no longer");
		});
		this.#told = sent.catch(() => undefined);
		await sent;
	}

	#send(kind: Kind, op: number, text: string, data?: MessageData): void {
		if (this.#revoked) return;
		try {
			if (kind === Kind.credit) this.#windows.credit(op, data as number);
			this.#commands.message(kind, this.id, op, text, data);
		} catch (error) {
			this.#listener.onFault(error);
		}
	}

	/** Whether the response's body is one that came in, and does not enter the isolate. */
	get handsOn(): boolean {
		return this.#handedOn !== null;
	}

	/** The receiver of the response's body has taken so many bytes. */
	credit(bytes: number): void {
		if (this.#handedOn !== null) this.#handedOn.taken(bytes);
		else this.#send(Kind.credit, 0, "", bytes);
	}

	/** The client says something over the WebSocket. */
	socketMessage(data: string | Uint8Array): void {
		if (typeof data === "string") this.#send(Kind.socket, this.socket, data);
		else this.#send(Kind.socket, this.socket, "", data);
	}

	/** The client closes the WebSocket. */
	socketClose(code: number, reason: string): void {
		this.#send(Kind.socketClose, this.socket, encodeSocketClose(code, reason));
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
		if (this.#revoked || !this.#listener.mayRunAgain(this.hasEffects)) return;
		this.revoke();
		this.#superseded = true;
		this.#listener.onMoved();
	}

	#release(): void {
		this.#revoked = true;
		this.#leaveQueue();
		this.#body?.cancel();
		this.#calls.close();
	}

	#leaveQueue(): void {
		if (this.queue === null) return;
		this.queue.waiting--;
		this.queue = null;
	}

	// What follows comes from the sandbox.

	/** Takes a message that is well formed. Throws FrameError for more of a body than may be on its way. */
	message(message: Outgoing): void {
		if (this.#revoked) return;
		this.#leaveQueue();
		if (!this.#windows.admits(message)) throw new FrameError("more of a body than was asked for");
		try {
			this.#hear(message);
		} catch (error) {
			this.#listener.onFault(error);
		}
	}

	#hear(message: Outgoing): void {
		const { kind, op, text, data } = message;
		switch (kind) {
			case Kind.socket:
			case Kind.socketClose:
				if (op === this.socket) this.#listener.event.hear(message);
				break;
			case Kind.body:
				if (op > 0) this.#calls.chunk(op, data as Uint8Array);
				else if (this.#handedOn === null) this.#listener.event.hear(message);
				break;
			case Kind.end:
				if (op > 0) this.#calls.end(op, text);
				else if (this.#handedOn === null) this.#listener.event.hear(message);
				break;
			case Kind.handOn:
				this.#handOn(op, data as number);
				break;
			case Kind.credit:
				if (op === 0) this.#body?.credit(data as number);
				else if (op === this.socket) this.#listener.event.hear(message);
				else this.#calls.credit(op, data as number);
				break;
			case Kind.cancel:
				if (op === 0) this.#body?.cancel();
				else this.#calls.cancel(op);
				break;
			case Kind.call:
				this.#call(op, text, data as Uint8Array | undefined);
				break;
			case Kind.reused:
				if (!this.#calls.reused(text)) this.#refuseCall();
				break;
			case Kind.log:
				this.#listener.onLog(text);
				break;
			case Kind.exceeded:
				this.#listener.onExceeded("timers");
				break;
			default:
				this.#listener.event.hear(message);
		}
	}

	/**
	 * The body of one operation is that which comes in for another. It stays as it is where all of that was sent to the
	 * isolate before, or where either is over: the isolate will hear of that, or has said it.
	 */
	#handOn(op: number, from: number): void {
		const body = from === 0 ? this.#body : this.#calls.incoming(from);
		// What an answer brings cannot be what its call is asked with: it would go round for ever.
		if (!body?.mayBeHandedOn || (op > 0 && op === from)) return;
		const target = op === 0 ? this.#respondWith(body) : this.#calls.sendOn(op, body);
		if (target === null) return;
		body.handOn({
			chunk: (piece) => this.#guarded(() => target.chunk(piece)),
			end: (failure) => {
				this.#guarded(() => target.end(failure));
				this.#send(Kind.handOn, from, "");
			},
		});
	}

	/** Takes the response's body from there. `null` where it comes from elsewhere already. */
	#respondWith(body: BodySender): BodyTarget | null {
		const { event } = this.#listener;
		if (this.#handedOn !== null) return null;
		this.#handedOn = body;
		return {
			chunk: (piece) => event.hear({ kind: Kind.body, op: 0, text: "", data: piece }),
			end: (failure) => event.hear({ kind: Kind.end, op: 0, text: failure, data: undefined }),
		};
	}

	#guarded(hear: () => void): void {
		if (this.#revoked) return;
		try {
			hear();
		} catch (error) {
			this.#listener.onFault(error);
		}
	}

	#call(op: number, text: string, body: Uint8Array | undefined): void {
		this.hasEffects = true;
		const commands = this.#commands;
		const { number } = this.version;
		const taken = this.#calls.call(op, text, body, {
			send: (kind, answer, data) => this.#send(kind, op, answer, data),
			clogged: (resume) => commands.clogged(resume),
			lend: (lent, answer, untilMs) => commands.reuse(number, lent, answer, untilMs),
			forgetter: (lent) => () => commands.forget(number, lent),
		});
		if (!taken) this.#refuseCall();
	}

	#refuseCall(): void {
		this.#listener.refuseForgery("called a binding as the platform never does");
	}

	done(report: AttemptReport): void {
		try {
			this.#release();
			if (!this.#superseded) this.#listener.onDone(report);
		} catch (error) {
			this.#listener.onFault(error);
		}
	}

	failed(failure: AttemptFailure, report: AttemptReport): void {
		const revoked = this.#revoked;
		try {
			this.#release();
			if (failure.code === "forged") this.#listener.onForgery();
			if (this.#superseded) return;
			if (revoked) this.#listener.onDone(report);
			else this.#listener.onFailed(failure, report);
		} catch (error) {
			this.#listener.onFault(error);
		}
	}

	lost(running: boolean): void {
		try {
			this.#release();
			if (running) this.#listener.onCulprit();
			if (!this.#superseded) this.#listener.onLost(running);
		} catch (error) {
			this.#listener.onFault(error);
		}
	}
}
