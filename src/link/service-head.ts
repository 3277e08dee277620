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

/** A method to call, with arguments that are the body (`prelude/rpc/encode.ts`), or a property to get. */
export interface Rpc {
	what: "call" | "get";
	/** Its name, after those of the properties at which it is found. */
	path: string[];
}

/** Such a request as it enters an isolate: what the edge writes once as JSON and the isolate parses. */
export interface ServiceHead extends Omit<RequestHead, "type">, Asked {
	type: "service";
}
