import type { Asked, Rpc } from "../../link/service-head.ts";

/** A call of a service. */
export interface ServiceCall extends Asked {
	/** A request, as `fetch/schema.ts` has it; empty where there is `rpc`. */
	request: string;
}

/** A name may be so long, and so many may be on the way to a method. */
const MOST_NAME = 256;
const MOST_NAMES = 16;

/** Whether a path can be asked for: the edge writes it into records. */
export function isPath(path: string[]): boolean {
	return (
		path.length > 0 &&
		path.length <= MOST_NAMES &&
		path.every((name) => name !== "" && name.length <= MOST_NAME && !name.includes("\n"))
	);
}

/**
 * Whose it is, a line each for what a deployment has not said of the service; then a request, or the path of a method
 * or property, a line for each of its names.
 */
export function encodeServiceCall({ entrypoint, props, rpc, request }: ServiceCall): string {
	const what = rpc === null ? `fetch\n${request}` : `${rpc.what}\n${rpc.path.join("\n")}`;
	return `${entrypoint}\n${props}\n${what}`;
}

/** The call that a text stands for, or `null` where `encodeServiceCall` never makes such a text. */
export function decodeServiceCall(text: string): ServiceCall | null {
	const props = text.indexOf("\n") + 1;
	const what = text.indexOf("\n", props) + 1;
	const rest = text.indexOf("\n", what) + 1;
	if (props === 0 || what === 0 || rest === 0) return null;
	const asked = { entrypoint: text.slice(0, props - 1), props: text.slice(props, what - 1) };
	const kind = text.slice(what, rest - 1);
	if (kind === "fetch") return { ...asked, rpc: null, request: text.slice(rest) };
	if ((kind !== "call" && kind !== "get" && kind !== "tell") || text.length - rest > MOST_NAMES * (MOST_NAME + 1))
		return null;
	const rpc: Rpc = { what: kind, path: text.slice(rest).split("\n") };
	return isPath(rpc.path) ? { ...asked, rpc, request: "" } : null;
}

/** What a call has come to. */
export interface ServiceResult {
	/** Whether the body is what the method threw, and not what it gave. */
	thrown: boolean;
	/** The number by which the targets are told something that the result has stubs of; `null` where it has none. */
	session: string | null;
}

export function encodeResult({ thrown, session }: ServiceResult): string {
	return `${thrown ? "thrown" : "value"}\n${session ?? ""}`;
}

export function decodeResult(text: string): ServiceResult {
	const end = text.indexOf("\n");
	const session = text.slice(end + 1);
	return { thrown: text.slice(0, end) === "thrown", session: session === "" ? null : session };
}
