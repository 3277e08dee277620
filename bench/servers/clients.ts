/** Clients that do harm to the server that they are connected to, each kind in its own way: `clients.ts KIND PORT`. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const HOST = "Host: serves.localhost\r\n";
const UPGRADE = `${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"A".repeat(22)}==\r\n\r\n`;
const EMPTY_MESSAGE = Buffer.from([0x81, 0x80, 0, 0, 0, 0]);
/** Each kind sends so much at most, over all of its connections. */
const MOST_SENT = 64 * 2 ** 20;

/** So many connections are made at a time. */
const MOST_AT_ONCE = 30;
const EVERY_MS = 100;

const [kind, port] = process.argv.slice(2);
let sent = 0;

/** A connection, which does not read where `reads` is false. */
function client(reads: boolean): Socket {
	const socket = connect(Number(port), "127.0.0.1");
	socket.on("error", () => undefined);
	if (reads) socket.resume();
	return socket;
}

/** Sends something over and over, as fast as it is taken. */
function flood(socket: Socket, bytes: Buffer): void {
	const more = () => {
		while (!socket.destroyed && sent < MOST_SENT) {
			sent += bytes.length;
			if (!socket.write(bytes)) break;
		}
		if (sent < MOST_SENT) socket.once("drain", more);
	};
	more();
}

const times = (count: number, what: (i: number) => void) => {
	for (let i = 0; i < count; i++) what(i);
};

/** Keeps so many connections, a few more at a time; where the server ends one another takes its place. */
async function keep(count: number, open: () => Socket): Promise<void> {
	let clients: Socket[] = [];
	for (;;) {
		clients = clients.filter(({ destroyed }) => !destroyed);
		times(Math.min(MOST_AT_ONCE, count - clients.length), () => clients.push(open()));
		await sleep(EVERY_MS);
	}
}

const KINDS: Record<string, () => void> = {
	none: () => undefined,
	"responses unread": () =>
		void keep(30, () => {
			const socket = client(false);
			socket.write(`GET /large HTTP/1.1\r\n${HOST}\r\n`.repeat(100));
			return socket;
		}),
	"messages unread": () =>
		void keep(100, () => {
			const socket = client(false);
			socket.write(`GET /talks HTTP/1.1\r\n${UPGRADE}`);
			return socket;
		}),
	"empty messages": () =>
		times(10, () => {
			const socket = client(true);
			socket.write(`GET /hears HTTP/1.1\r\n${UPGRADE}`);
			flood(socket, Buffer.concat(Array<Buffer>(10_000).fill(EMPTY_MESSAGE)));
		}),
	"log unread": () =>
		void keep(10, () => {
			const socket = client(true);
			socket.write(`GET /log HTTP/1.1\r\nConnection: close\r\n${HOST}\r\n`);
			return socket;
		}),
	"pipelined upgrades": () =>
		void keep(10, () => {
			const socket = client(true);
			socket.write(
				`GET / HTTP/1.1\r\n${HOST}\r\nGET / HTTP/1.1\r\n${UPGRADE.replace("Upgrade\r", "Upgrade, Upgrade: websocket\r")}`,
			);
			return socket;
		}),
	"slow uploads": () =>
		void keep(2000, () => {
			const socket = client(true);
			socket.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 65000\r\n\r\n${"x".repeat(60_000)}`);
			return socket;
		}),
	"tiny chunks": () =>
		void keep(200, () => {
			const socket = client(true);
			socket.write(`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(8000)}`);
			return socket;
		}),
	"heads unfinished": () =>
		void keep(2000, () => {
			const socket = client(true);
			socket.write(`GET / HTTP/1.1\r\n${HOST}${`a: ${"b".repeat(500)}\r\n`.repeat(200)}`);
			return socket;
		}),
	pipelined: () =>
		void keep(10, () => {
			const socket = client(true);
			socket.write(`GET / HTTP/1.1\r\n${HOST}\r\n`.repeat(5000));
			return socket;
		}),
};

process.on("disconnect", () => process.exit(0));
KINDS[kind]();
console.log("port 0");
