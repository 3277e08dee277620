import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after } from "node:test";
import { CommandLine, get, type Run } from "./command-line.ts";

/** A token that is given to a server, so that no test needs to read one. */
export const TOKEN = "token-of-the-tests";

/** `atoll up` on free ports, with a data folder that goes with the tests around it. */
export class Platform {
	readonly line = new CommandLine();
	readonly data = join(this.line.folder, "data");
	#run!: Run;
	port = 0;
	adminPort = 0;

	/** Starts it, and waits until it serves. `args` come on top of those that every test needs. */
	static async start(...args: string[]): Promise<Platform> {
		const platform = new Platform();
		await platform.up(...args);
		return platform;
	}

	/** The same again on the same data folder, and on the same ports. */
	async up(...args: string[]): Promise<void> {
		const ports = ["--port", String(this.port), "--admin-port", String(this.adminPort)];
		const env = { ATOLL_ADMIN_TOKEN: TOKEN };
		this.#run = this.line.run(["up", "--data", this.data, "--sandboxes", "1", ...ports, ...args], env);
		const ready = await this.#run.until(/"port":(\d+),"adminPort":(\d+),.*"msg":"ready"/);
		this.port = Number(ready[1]);
		this.adminPort = Number(ready[2]);
	}

	get supervisor(): Run {
		return this.#run;
	}

	/** What the log has said so far. */
	get log(): string {
		return this.#run.output();
	}

	async stop(): Promise<number | null> {
		this.#run.child.kill("SIGTERM");
		return this.#run.exit;
	}

	/** Runs a command that asks the server, and waits for its end. */
	async atoll(...args: string[]): Promise<{ code: number | null; output: string }> {
		const env = {
			ATOLL_SERVER: `http://127.0.0.1:${this.adminPort}`,
			ATOLL_TOKEN: TOKEN,
			XDG_CONFIG_HOME: this.line.folder,
		};
		const run = this.line.run(args, env);
		const code = await run.exit;
		return { code, output: run.output() };
	}

	/** Deploys a module as a function. Throws with what was said where that fails. */
	async deploy(name: string, code: string, ...args: string[]): Promise<string> {
		const folder = await this.line.write(name, { "index.js": code });
		const { code: exit, output } = await this.atoll("deploy", folder, "--name", name, ...args);
		if (exit !== 0) throw new Error(output);
		return output;
	}

	/** Asks a function by its hostname. */
	get(host: string, path?: string, headers: Record<string, string> = {}) {
		return get(this.port, host, headers, path);
	}

	/**
	 * A request to a function of that name, which sends back what it gets, and has got the first half. What this gives sends
	 * the rest, and resolves with all that was answered.
	 */
	async inFlight(name: string, half: string): Promise<(rest?: string) => Promise<string>> {
		await this.deploy(name, "export default { fetch: (r) => new Response(r.body) }");
		const headers = { host: `${name}.localhost` };
		const upload = request({ port: this.port, method: "POST", path: `/${name}`, headers });
		upload.write(half);
		const [response] = (await once(upload, "response")) as [IncomingMessage];
		return (rest) => {
			upload.end(rest);
			return text(response);
		};
	}

	/** A call of the API, with the tests' token or another one. */
	async api(method: string, path: string, body?: unknown, token = TOKEN): Promise<{ status: number; body: unknown }> {
		const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`, {
			method,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			...(body !== undefined && { body: JSON.stringify(body) }),
		});
		const text = await response.text();
		return { status: response.status, body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text };
	}
}

/** Whether nobody listens on a port of this machine. */
export function isRefused(port: number): Promise<boolean> {
	const { promise, resolve } = Promise.withResolvers<boolean>();
	const socket = connect(port, "127.0.0.1", () => socket.destroy());
	socket.on("error", ({ message }) => resolve(message.includes("ECONNREFUSED")));
	socket.on("close", () => resolve(false));
	return promise;
}

/** A platform for the tests of a file, ended after them. */
export async function startPlatform(...args: string[]): Promise<Platform> {
	const platform = await Platform.start(...args);
	after(() => platform.stop());
	return platform;
}
