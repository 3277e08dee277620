import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Guarded } from "../observe/guard.ts";

/**
 * The response that a connection is sending, which `node:http` keeps there; those to later requests wait for its end.
 */
export function sending(connection: Duplex & { _httpMessage?: ServerResponse | null }): ServerResponse | null {
	return connection._httpMessage ?? null;
}

/** Who is at the other end of a connection, for the log. */
export function describe({ remoteAddress, remotePort }: Partial<Socket>): object {
	return { client: `${remoteAddress} ${remotePort}` };
}

/** A connection as what a callback works for. */
export function guarded(connection: Duplex): Guarded {
	return { describe: () => describe(connection as Socket), cut: () => connection.destroy() };
}
