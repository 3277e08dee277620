import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { guarded, sending } from "./connection.ts";
import { handle, type ListenerSettings } from "./node-handler.ts";
import type { WebSockets } from "./web-sockets.ts";

/**
 * Makes a listener for what `node:http` no longer reads: `upgrade` and `connect`. What does not ask for a WebSocket,
 * or asks for it too early, is an ordinary request and the connection's last
 * (https://www.rfc-editor.org/rfc/rfc9110#section-7.8).
 */
export function upgradeHandler(
	settings: ListenerSettings,
	ordinary: (req: IncomingMessage, res: ServerResponse) => void,
	webSockets: WebSockets,
) {
	const { guard } = settings;
	return (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
		socket.on("error", () => socket.destroy());
		guard.run(guarded(socket), () => {
			if (!isWebSocketUpgrade(req)) {
				ordinary(req, lastResponse(req, socket));
				// What comes after it is for nobody; that its client goes is heard of.
				if (socket === req.socket) socket.on("end", () => socket.end()).resume();
				return;
			}
			const ways = { makeSink: () => webSockets.sink(req, socket, head), next: null };
			handle(settings, req, ways, (exchange, _sink, start) => {
				exchange.headers.push("upgrade", "websocket");
				start();
			});
		});
	};
}

/**
 * Whether a request can be answered with a WebSocket: its handshake is whole
 * (https://www.rfc-editor.org/rfc/rfc6455#section-4.2.1), it has no body, and no request before it on its connection
 * still waits for its answer.
 */
export function isWebSocketUpgrade({ method, headers, socket }: IncomingMessage): boolean {
	return (
		method === "GET" &&
		headers.upgrade?.toLowerCase() === "websocket" &&
		/^[A-Za-z0-9+/]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
		headers["sec-websocket-version"] === "13" &&
		isProtocolList(headers["sec-websocket-protocol"]) &&
		headers["transfer-encoding"] === undefined &&
		Number(headers["content-length"] ?? 0) === 0 &&
		sending(socket) === null
	);
}

const PROTOCOLS = /^[!#$%&'*+\-.^_`|~A-Za-z0-9]+(?:[\t ]*,[\t ]*[!#$%&'*+\-.^_`|~A-Za-z0-9]+)*$/;

/** Whether a header offers WebSocket protocols as it should, each once; whoever offers none has no such header. */
function isProtocolList(offered: string | undefined): boolean {
	if (offered === undefined) return true;
	if (!PROTOCOLS.test(offered)) return false;
	const names = offered.split(",").map((name) => name.trim());
	return new Set(names).size === names.length;
}

/**
 * The response to a request after which `node:http` reads no other of its connection. It goes out after those to the
 * requests before it, and the connection ends with it. `socket` is what `node:http` has handed over, the connection
 * or a stream over it.
 */
export function lastResponse(req: IncomingMessage, socket: Duplex): ServerResponse {
	const response = new ServerResponse(req);
	response.shouldKeepAlive = false;
	// Nobody reads this connection any more, so that nobody would see its other end close.
	response.on("finish", () => socket.end(() => socket.destroy()));
	sendInTurn(response, req.socket, socket);
	return response;
}

function sendInTurn(response: ServerResponse, connection: Duplex, socket: Duplex): void {
	const earlier = sending(connection);
	if (!connection.writable) response.destroy();
	else if (earlier === null) response.assignSocket(socket as never);
	else earlier.once("close", () => sendInTurn(response, connection, socket));
}
