import { connect } from "node:net";

/** Sends bytes as they are over one connection, and gives all that comes back until it closes. */
export function exchange(port: number, ...parts: (string | Buffer)[]): Promise<string> {
	return new Promise((resolve, reject) => {
		const socket = connect(port, "127.0.0.1");
		let text = "";
		socket.setEncoding("latin1");
		socket.on("data", (chunk) => {
			text += chunk as unknown as string;
		});
		socket.on("close", () => resolve(text));
		socket.on("error", (error: NodeJS.ErrnoException) =>
			error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(text) : reject(error),
		);
		for (const part of parts) socket.write(part);
	});
}

/** The status line's code. */
export function statusOf(response: string): number {
	return Number(/^HTTP\/1\.1 (\d+)/.exec(response)?.[1]);
}

/** What follows the head. */
export function bodyOf(response: string): string {
	return response.slice(response.indexOf("\r\n\r\n") + 4);
}
