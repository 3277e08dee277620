import type { RequestHead } from "./messages.ts";

/** What a function asks another one for, where that is more than to answer a request with its default export. */
export interface Asked {
	/** The name of the export that is asked. */
	entrypoint: string;
	/** What its `ctx.props` is, as JSON; empty where nothing was said. */
	props: string;
	/** What of it is called, or read; `null` for a request. */
	rpc: Rpc | null;
}

/**
 * A method to call, with arguments that are the body (`prelude/rpc/encode.ts`), or a property to get; or something to
 * tell the targets of a call that has stubs of them, whose number the path is then.
 */
export interface Rpc {
	what: "call" | "get" | "tell";
	/** Its name, after those of the properties at which it is found. */
	path: string[];
}

/** Such a request as it enters an isolate: what the edge writes once as JSON and the isolate parses. */
export interface ServiceHead extends RequestHead, Asked {
	type: "service";
}

export function encodeServiceHead(head: RequestHead, asked: Asked): string {
	const whole: ServiceHead = { ...head, type: "service", ...asked };
	return JSON.stringify(whole);
}

/** The header of a call's answer that has stubs of what its function holds, and is told more of them. */
export const STUBS = "stubs";
