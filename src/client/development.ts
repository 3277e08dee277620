import { request } from "node:http";
import { text } from "node:stream/consumers";
import { ClientError, Exit } from "./client-error.ts";

/** What an `atoll dev` is asked. */
interface Asked {
	method: string;
	path: string;
	headers?: Record<string, string | number>;
	body?: Uint8Array;
}

/** Asks the `atoll dev` at a port of this machine something about a function, by its name or a hostname. */
export function askDevelopment(port: number, name: string, { headers, body, ...rest }: Asked) {
	return new Promise<{ status: number; told: string }>((resolve, reject) => {
		const host = name.includes(".") ? name : `${name.toLowerCase()}.localhost`;
		const asked = request({ host: "127.0.0.1", port, ...rest, headers: { ...headers, host } }, (response) =>
			text(response).then((all) => resolve({ status: response.statusCode ?? 0, told: all }), reject),
		);
		asked.on("error", (error) =>
			reject(new ClientError(`no \`atoll dev\` is at port ${port}: ${error.message}`, Exit.unreachable)),
		);
		asked.end(body);
	});
}
