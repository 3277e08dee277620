/** `node:net`, as far as it needs no network: what an address is. The rest throws when it is called. */
import { absentModule } from "./absent.ts";

type Absent = new (...args: unknown[]) => object;
const sockets = absentModule(
	"net",
	"a function opens no sockets of Node's. Use instead: cloudflare:sockets, or fetch()",
);
export const { BlockList, Server, Socket, SocketAddress } = sockets as Record<string, Absent>;
export const { connect, createConnection, createServer } = sockets as Record<string, (...args: unknown[]) => never>;
export { Socket as Stream };

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const V4 = `${OCTET}(?:\\.${OCTET}){3}`;
const IS_V4 = new RegExp(`^${V4}$`);
const GROUP = /^[0-9a-f]{1,4}$/i;

export const isIPv4 = (text: unknown): boolean => IS_V4.test(String(text));

/** https://www.rfc-editor.org/rfc/rfc4291#section-2.2, with a zone behind it. */
export function isIPv6(text: unknown): boolean {
	const [, address] = /^([0-9a-f:.]{2,45})(?:%[0-9a-z-.:]+)?$/i.exec(String(text)) ?? [];
	if (address === undefined) return false;
	// An IPv4 address in the end stands for two groups.
	const withoutV4 = address.replace(new RegExp(`(?<=:)${V4}$`), "0:0");
	const halves = withoutV4.split("::");
	const groups = halves.map((half) => (half === "" ? [] : half.split(":")));
	const count = groups.flat().length;
	return (
		halves.length <= 2 &&
		groups.flat().every((group) => GROUP.test(group)) &&
		(halves.length === 2 ? count < 8 : count === 8)
	);
}

export const isIP = (text: unknown): 0 | 4 | 6 => (isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0);

export default {
	BlockList,
	connect,
	createConnection,
	createServer,
	isIP,
	isIPv4,
	isIPv6,
	Server,
	Socket,
	SocketAddress,
	Stream: Socket,
};
