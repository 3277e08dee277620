import type { IncomingMessage, ServerResponse } from "node:http";
import { MOST_PROFILE_REQUESTS, MOST_PROFILE_SECONDS } from "../limits/profile-bounds.ts";
import type { Runtime } from "../runtime.ts";
import { readRequest } from "../server/node-request.ts";
import type { Seconds } from "../units.ts";

/** Where a developer takes a CPU profile of the function of a hostname: `?seconds=10`, and `&requests=` to end sooner. */
export const PROFILE_PATH = "/cdn-cgi/profile";
const SECONDS: Seconds = 10;

/** Answers with a `.cpuprofile`, or with why there is none. */
export async function profileByHand(runtime: Runtime, req: IncomingMessage, res: ServerResponse): Promise<void> {
	const gone = new AbortController();
	res.on("close", () => gone.abort());
	try {
		const { hostname } = readRequest(req);
		const found = runtime.at(hostname);
		if (found === null) throw new Error(`no function is served at ${hostname}`);
		const { searchParams } = new URL(req.url ?? "", "http://localhost");
		const seconds = amountOf(searchParams, "seconds", SECONDS, MOST_PROFILE_SECONDS);
		const requests = amountOf(searchParams, "requests", MOST_PROFILE_REQUESTS, MOST_PROFILE_REQUESTS);
		const bounds = { ms: seconds * 1000, requests, signal: gone.signal };
		const bytes = await runtime.profile({ tenant: found.tenant, name: found.name }, null, bounds);
		const name = `${found.name}.cpuprofile`;
		const headers = { "content-type": "application/json", "content-disposition": `attachment; filename="${name}"` };
		res.writeHead(200, { ...headers, "content-length": bytes.length }).end(bytes);
	} catch (error) {
		res.writeHead(400, { "content-type": "application/json" });
		res.end(`${JSON.stringify({ error: (error as Error).message })}\n`);
	}
}

function amountOf(said: URLSearchParams, name: string, otherwise: number, most: number): number {
	const given = Number(said.get(name) ?? otherwise);
	if (!Number.isInteger(given) || given < 1 || given > most) throw new Error(`${name} must be from 1 to ${most}`);
	return given;
}
