/** `node:https`: https://nodejs.org/api/https.html */
import { Agent as HttpAgent, requestsBy } from "./http-client.ts";
import { createServer, Server } from "./http-server.ts";

export class Agent extends HttpAgent {
	override protocol = "https:";
	override defaultPort = 443;
}
export const globalAgent = new Agent();

const https = { Agent, createServer, globalAgent, Server, ...requestsBy(globalAgent) };
export const { get, request } = https;
export { createServer, Server };
export default https;
