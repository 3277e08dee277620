/** A connection that a function asks for, or TLS over one that it has. */
export type SocketAsked =
	| {
			kind: "connect";
			/** Tells it from the others of its request. */
			socket: number;
			tls: boolean;
			/** Whether the function may send on when the other side has ended. */
			halfOpen: boolean;
			hostname: string;
			port: number;
	  }
	| { kind: "starttls"; socket: number; servername: string };

export function encodeSocketAsked(asked: SocketAsked): string {
	if (asked.kind === "starttls") return `starttls\n${asked.socket}\n${asked.servername}`;
	const { socket, tls, halfOpen, hostname, port } = asked;
	return `connect\n${socket}\n${tls ? "tls" : "plain"}\n${halfOpen ? "half" : "whole"}\n${port}\n${hostname}`;
}

const NUMBER = "(0|[1-9]\\d{0,8})";
// The name is a hostname, an IPv4 address, or an IPv6 address without brackets.
const NAME = "([\\w.:-]{1,253})";
const CONNECT = new RegExp(`^connect\\n${NUMBER}\\n(plain|tls)\\n(whole|half)\\n([1-9]\\d{0,4})\\n${NAME}$`);
const STARTTLS = new RegExp(`^starttls\\n${NUMBER}\\n${NAME}$`);

/** `null` for what `encodeSocketAsked` never makes. */
export function decodeSocketAsked(text: string): SocketAsked | null {
	const connect = CONNECT.exec(text);
	if (connect !== null) {
		const [, socket, tls, half, port, hostname] = connect;
		if (Number(port) > 65535) return null;
		return {
			kind: "connect",
			socket: Number(socket),
			tls: tls === "tls",
			halfOpen: half === "half",
			hostname,
			port: Number(port),
		};
	}
	const starttls = STARTTLS.exec(text);
	return starttls === null ? null : { kind: "starttls", socket: Number(starttls[1]), servername: starttls[2] };
}
