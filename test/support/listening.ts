import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A server on a free port of loopback, which ends with all of its connections when it is disposed of. */
export class Listening implements AsyncDisposable {
	readonly server: Server;

	private constructor(server: Server) {
		this.server = server;
	}

	static async on(listener: RequestListener): Promise<Listening> {
		const server = createServer(listener);
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		return new Listening(server);
	}

	get port(): number {
		return (this.server.address() as AddressInfo).port;
	}

	get origin(): string {
		return `http://127.0.0.1:${this.port}`;
	}

	fetch(path: string, init?: RequestInit): Promise<Response> {
		return fetch(this.origin + path, init);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		const closed = new Promise((resolve) => this.server.close(resolve));
		this.server.closeAllConnections();
		await closed;
	}
}
