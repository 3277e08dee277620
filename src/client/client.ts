import { ClientError, Exit } from "./client-error.ts";

/** Where a server's admin API is, and what lets one in. */
export interface Connection {
	/** As `http://127.0.0.1:8788`. */
	server: string;
	token: string;
}

/** What the API tells of something that it refused. */
interface Problem {
	detail?: string;
	code?: string;
}

/** Calls a server's admin API. Everything that it refuses is a ClientError that says what to do. */
export class Client {
	readonly #connection: Connection;

	constructor(connection: Connection) {
		this.#connection = connection;
	}

	get server(): string {
		return this.#connection.server;
	}

	async get<T>(path: string): Promise<T> {
		return (await (await this.send("GET", path)).json()) as T;
	}

	async ask<T>(method: "POST" | "PATCH" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
		const init =
			body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
		return (await (await this.send(method, path, init)).json()) as T;
	}

	/** The response where it is one of success. */
	async send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
		const { server, token } = this.#connection;
		const headers = new Headers(init.headers);
		headers.set("authorization", `Bearer ${token}`);
		// One that the server ends at this moment, since it is restarted, could not be told from one that it has refused.
		headers.set("connection", "close");
		let response: Response;
		try {
			response = await fetch(new URL(`/v1${path}`, server), { ...init, method, headers });
		} catch (error) {
			const why = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
			throw new ClientError(
				`${server} cannot be reached: ${why}. Is \`atoll up\` running there? Choose another with --server or ATOLL_SERVER`,
				Exit.unreachable,
			);
		}
		if (response.ok) return response;
		const text = await response.text();
		const { detail = text.slice(0, 1000) } = problemOf(text);
		if (response.status === 401)
			throw new ClientError(`${detail}. Give a token with ATOLL_TOKEN, or run \`atoll login\``, Exit.notAllowed);
		if (response.status === 403)
			throw new ClientError(
				`${detail}. \`atoll whoami\` tells what this one allows; an admin makes another by \`atoll token create\``,
				Exit.notAllowed,
			);
		throw new ClientError(detail, Exit.refused);
	}
}

function problemOf(text: string): Problem {
	try {
		return Object(JSON.parse(text)) as Problem;
	} catch {
		return {};
	}
}
