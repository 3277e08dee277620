import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";

/** Starts TLS on a connection, with the other side's certificate checked for that name. Owns the connection. */
export async function secured(plain: Socket, name: string, signal: AbortSignal): Promise<TLSSocket> {
	const socket = connect({ socket: plain, host: name, servername: isIP(name) === 0 ? name : "" });
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const abort = () => reject(signal.reason as Error);
	socket.on("error", reject);
	socket.once("close", () => reject(new Error("the connection was closed before TLS was agreed on")));
	socket.once("secureConnect", resolve);
	signal.addEventListener("abort", abort, { once: true });
	if (signal.aborted) abort();
	try {
		await promise;
		return socket;
	} catch (error) {
		socket.destroy();
		plain.destroy();
		throw error;
	} finally {
		signal.removeEventListener("abort", abort);
	}
}
