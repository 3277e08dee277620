import { BlockList, isIP } from "node:net";
import { UsageError } from "../errors.ts";

/** Which addresses functions may reach. */
export interface EgressPolicy {
	/**
	 * Hostnames, addresses or CIDR ranges that functions may reach although they are private, such as `db.internal`,
	 * `127.0.0.1` or `10.1.0.0/16`. Default: none.
	 */
	allow?: string[];
	/** Hostnames, addresses or CIDR ranges that no function may reach. Wins over `allow`. Default: none. */
	deny?: string[];
}

// https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 sibling: what is not the public internet.
const PRIVATE = [
	"0.0.0.0/8",
	"10.0.0.0/8",
	"100.64.0.0/10",
	"127.0.0.0/8",
	"169.254.0.0/16",
	"172.16.0.0/12",
	"192.0.0.0/24",
	"192.0.2.0/24",
	"192.88.99.0/24",
	"192.168.0.0/16",
	"198.18.0.0/15",
	"198.51.100.0/24",
	"203.0.113.0/24",
	"224.0.0.0/4",
	"240.0.0.0/4",
	"::/96",
	"::1/128",
	"64:ff9b::/96",
	"64:ff9b:1::/48",
	"100::/64",
	"2001::/23",
	"2001:db8::/32",
	"2002::/16",
	"fc00::/7",
	"fe80::/10",
	"fec0::/10",
	"ff00::/8",
];

/** Addresses by family, apart: a BlockList with both takes any IPv4 address for one that is mapped into IPv6. */
interface List {
	names: Set<string>;
	ipv4: BlockList;
	ipv6: BlockList;
}

function makeList(entries: string[], option: string): List {
	const list: List = { names: new Set(), ipv4: new BlockList(), ipv6: new BlockList() };
	for (const entry of entries) {
		const [address, prefix] = entry.split("/");
		const bare = address.replace(/^\[|\]$/g, "");
		const family = isIP(bare) === 6 ? "ipv6" : "ipv4";
		if (isIP(bare) === 0) {
			if (prefix !== undefined || !/^[\w.-]+$/.test(entry))
				throw new UsageError(
					`egress.${option}: ${JSON.stringify(entry)} is not a hostname, an address or a CIDR range`,
				);
			list.names.add(entry.toLowerCase());
		} else if (prefix === undefined) list[family].addAddress(bare, family);
		else {
			const bits = Number(prefix);
			if (!/^\d+$/.test(prefix) || bits > (family === "ipv6" ? 128 : 32))
				throw new UsageError(`egress.${option}: ${JSON.stringify(entry)} is not a CIDR range`);
			list[family].addSubnet(bare, bits, family);
		}
	}
	return list;
}

/** An IPv4 address that is mapped into IPv6 (`::ffff:7f00:1`) as the IPv4 address that a connection to it reaches. */
function unmap(address: string): string {
	if (isIP(address) !== 6) return address;
	const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(
		URL.parse(`http://[${address.split("%")[0]}]/`)?.hostname ?? "",
	);
	if (mapped === null) return address;
	const [high, low] = [Number.parseInt(mapped[1], 16), Number.parseInt(mapped[2], 16)];
	return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Decides which addresses functions may reach. By default that is the public internet and nothing of this machine's networks. */
export class AddressGuard {
	readonly #private = makeList(PRIVATE, "private");
	readonly #allow: List;
	readonly #deny: List;

	constructor({ allow = [], deny = [] }: EgressPolicy = {}) {
		this.#allow = makeList(allow, "allow");
		this.#deny = makeList(deny, "deny");
	}

	/** Why a name may not be reached whatever it resolves to, or `null`. */
	refuseName(hostname: string): string | null {
		return this.#deny.names.has(hostname) ? `${hostname} is not allowed` : null;
	}

	/** Why an address, that `hostname` resolved to, may not be connected to, or `null`. */
	refuseAddress(address: string, hostname: string): string | null {
		const plain = unmap(address);
		const family = isIP(plain) === 6 ? "ipv6" : "ipv4";
		if (isIP(plain) === 0 || this.#deny[family].check(plain, family)) return `${hostname} is not allowed`;
		if (this.#allow.names.has(hostname) || this.#allow[family].check(plain, family)) return null;
		return this.#private[family].check(plain, family) ? `${hostname} is on a private network` : null;
	}
}
