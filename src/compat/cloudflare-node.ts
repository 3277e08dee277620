/** `cloudflare:node`: https://developers.cloudflare.com/workers/runtime-apis/nodejs/http/ */
import { Server, serve, serverAt } from "./http-server.ts";

type Target = number | { port: number } | Server;

/** Hands a request to the server of `node:http` that listens on a port. */
export async function handleAsNodeRequest(target: Target, request: Request): Promise<Response> {
	if (target instanceof Server) return serve(target, request);
	return serve(serverAt(typeof target === "number" ? target : Number(target.port)), request);
}

/** A handler that gives a server of `node:http` all requests. */
export function httpServerHandler(target: Target): { fetch(request: Request): Promise<Response> } {
	return { fetch: (request) => handleAsNodeRequest(target, request) };
}
