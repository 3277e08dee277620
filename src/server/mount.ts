import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { FunctionId } from "../names.ts";
import type { NodeExchange } from "./node-request.ts";

/** Where a listener stands in a server, and whom it serves. */
export interface Mount {
	/** The function that it serves; `null` for whichever has a request's hostname. */
	function: FunctionId | null;
	/** The path that it serves all below of, which the function does not see: `/shop`. Empty for all paths. */
	prefix: string;
	/** The address of a request's client, where it is not the connection's. */
	client: ((req: IncomingMessage) => string | undefined) | null;
}

/** A listener that serves all hostnames, at all paths. */
export const EVERYWHERE: Mount = { function: null, prefix: "", client: null };

/** Fits a request to a mount. Returns whether it lies in it. */
export function enter(mount: Mount, req: IncomingMessage, exchange: NodeExchange): boolean {
	exchange.to = mount.function;
	if (mount.client !== null) {
		const ip = mount.client(req);
		if (ip !== undefined && exchange.client !== null && isIP(ip) !== 0) exchange.client = { ...exchange.client, ip };
	}
	const { prefix } = mount;
	if (prefix === "") return true;
	const { url } = exchange;
	const path = url.indexOf("/", url.indexOf("//") + 2);
	const rest = url.slice(path + prefix.length);
	if (!url.startsWith(prefix, path) || !/^(?:[/?]|$)/.test(rest)) return false;
	exchange.url = `${url.slice(0, path)}${rest.startsWith("/") ? "" : "/"}${rest}`;
	return true;
}
