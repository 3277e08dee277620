/**
 * `node:http`: clients over `fetch`, and servers that get what `cloudflare:node` hands them:
 * https://nodejs.org/api/http.html
 */
import { Agent, ClientRequest, globalAgent, requestsBy } from "./http-client.ts";
import { METHODS, maxHeaderSize, STATUS_CODES, validateHeaderName, validateHeaderValue } from "./http-headers.ts";
import { IncomingMessage } from "./http-incoming.ts";
import { OutgoingMessage } from "./http-outgoing.ts";
import { createServer, Server, ServerResponse } from "./http-server.ts";

const http = {
	Agent,
	ClientRequest,
	createServer,
	globalAgent,
	IncomingMessage,
	METHODS,
	maxHeaderSize,
	OutgoingMessage,
	Server,
	ServerResponse,
	STATUS_CODES,
	validateHeaderName,
	validateHeaderValue,
	...requestsBy(globalAgent),
};

export const { get, request } = http;
export {
	Agent,
	ClientRequest,
	createServer,
	globalAgent,
	IncomingMessage,
	METHODS,
	maxHeaderSize,
	OutgoingMessage,
	Server,
	ServerResponse,
	STATUS_CODES,
	validateHeaderName,
	validateHeaderValue,
};
export default http;
