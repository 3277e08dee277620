import type { IncomingMessage } from "node:http";
import type { Runtime } from "../runtime.ts";
import { guarded } from "../server/connection.ts";
import type { Handlers } from "../server/http-server.ts";
import { readRequest } from "../server/node-request.ts";
import type { Follower } from "./follower.ts";

/**
 * A runtime's handlers for an edge that has not heard of all functions yet: a request waits until what its hostname is
 * for has been asked for, however many others there are.
 */
export function earlyRequests(runtime: Runtime, follower: Follower): Handlers {
	const whenKnown = (req: IncomingMessage, handle: () => void) => {
		if (follower.complete) handle();
		else void follower.seek(hostnameOf(req)).then(() => runtime.guard.run(guarded(req.socket), handle));
	};
	const { guard, unfinished } = runtime;
	return {
		nodeHandler: (req, res) => whenKnown(req, () => runtime.nodeHandler(req, res)),
		continueHandler: (req, res) => whenKnown(req, () => runtime.continueHandler(req, res)),
		upgradeHandler: (req, socket, head) => {
			socket.on("error", () => socket.destroy());
			whenKnown(req, () => runtime.upgradeHandler(req, socket, head));
		},
		closeWebSockets: () => runtime.closeWebSockets(),
		refuse: (error, answered) => runtime.refuse(error, answered),
		guard,
		unfinished,
	};
}

/** Empty where its head cannot be read, which its handler refuses. */
function hostnameOf(req: IncomingMessage): string {
	try {
		return readRequest(req).hostname;
	} catch {
		return "";
	}
}
