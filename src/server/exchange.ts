import type { Chain } from "../bindings/functions.ts";
import type { Account } from "../limits/account.ts";
import type { Client, ResponseHead } from "../link/messages.ts";
import type { Asked } from "../link/service-head.ts";
import type { FunctionId } from "../names.ts";
import type { Hostname } from "../router/hostname.ts";
import type { Bytes } from "../units.ts";

/** A request as the runtime takes it, from whatever server or caller. */
export interface Exchange {
	method: string;
	/** Absolute and normalised, without a fragment. */
	url: string;
	hostname: Hostname;
	/** The function that it is for, whatever its hostname; `null` where the hostname says it. */
	to: FunctionId | null;
	/** What that is asked for, where it is not just its default export. */
	asked: Asked | null;
	/** Name, value, name, value, …; names in lower case, hop-by-hop headers removed. */
	headers: string[];
	/** `null` for none, bytes if it has come in whole, else the stream of it. */
	body: Uint8Array | AsyncIterable<Uint8Array> | null;
	/** Who is at the other end of the connection; `null` where there is none. */
	client: Client | null;
	/** Where it stands among requests of functions to functions. */
	chain: Chain;
}

/** What an event that it becomes is called in the record. */
export function typeOf({ asked }: Exchange): string {
	return asked === null || asked.rpc === null ? "http" : "rpc";
}

/** Its method in the record: that of its request, or the one that is called. */
export function methodOf({ asked, method }: Exchange): string {
	return asked === null || asked.rpc === null ? method : asked.rpc.path.join(".");
}

/** Where a response goes. Exactly one of `respond`, `begin` and `cut` is called first. */
export interface ResponseSink {
	/**
	 * Where what is held of it is counted, once it is known for whom; parts that are written are counted by whoever
	 * writes them.
	 */
	account: Account | null;
	/** A response that is whole. Throws if its head cannot be sent. */
	respond(head: ResponseHead, body: Uint8Array | null): void;
	/** The head of a response whose body follows. Throws if the head cannot be sent. */
	begin(head: ResponseHead): void;
	/** A part of the body; `taken` is called when the receiver has room for more. */
	write(bytes: Uint8Array, taken: () => void): void;
	/** The end of the body. */
	end(): void;
	/**
	 * Switches to a WebSocket: `end` is the function's, the result the client's. Throws where the request asked for
	 * none.
	 */
	upgrade(head: ResponseHead, end: SocketEnd): SocketEnd;
	/** Has the response be its connection's last, where it has one. */
	endConnection(): void;
	/** Breaks off, so that what was sent cannot be taken for a whole response. */
	cut(): void;
	/** Gives up what the receiver has not taken yet, and the connection with it. */
	drop(): void;
	/**
	 * Nothing more comes of the request: its account is closed, as soon as the receiver has taken all of the
	 * response.
	 */
	settle(): void;
}

/** One end of a WebSocket, for whoever holds the other. */
export interface SocketEnd {
	/** A message, as text or as bytes. */
	message(data: string | Uint8Array): void;
	/** So much of the messages that came from here has been taken: bytes, and of a text its UTF-16 units. */
	taken(size: number): void;
	/** The other end closes; 1005 stands for no code, 1006 for a connection that broke off. */
	close(code: number, reason: string): void;
}

/** A request's body may be this large to be kept and sent with the head, and sent again if a sandbox is lost. */
export const KEPT_BODY: Bytes = 64 * 1024;
