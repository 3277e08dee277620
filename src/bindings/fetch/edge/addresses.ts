import { BlockList, isIP } from "node:net";
import { UsageError } from "../../../errors.ts";

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
	// All IPv6 but 2000::/3, which alone is handed out: what else there is embeds IPv4 addresses, or stays within a
	// network.
	"::/3",
	"4000::/2",
	"8000::/1",
	// And of that: protocols' own, Teredo among them, documentation, 6to4, and documentation again.
	"2001::/23",
	"2001:db8::/32",
	"2002::/16",
	"3fff::/20",
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
		if (isIP(bare) === 0) {
			if (prefix !== undefined || !/^[\w.-]+$/.test(entry))
				throw new UsageError(
					`egress.${option}: ${JSON.stringify(entry)} is not a hostname, an address or a CIDR range`,
				);
			list.names.add(entry.toLowerCase());
			continue;
		}
		const given = isIP(bare) === 6 ? 128 : 32;
		const bits = prefix === undefined ? given : Number(prefix);
		if (!/^\d*$/.test(prefix ?? "") || prefix === "" || bits > given)
			throw new UsageError(`egress.${option}: ${JSON.stringify(entry)} is not a CIDR range`);
		const plain = plainAddress(bare);
		// A range of mapped addresses is one of IPv4 addresses; what is larger is one of IPv6 that has the mapped
		// ones in it.
		const mapped = given === 128 && isIP(plain) === 4;
		if (!mapped) list[familyOf(plain)].addSubnet(plain, bits, familyOf(plain));
		else if (bits >= 96) list.ipv4.addSubnet(plain, bits - 96, "ipv4");
		else list.ipv6.addSubnet(bare, bits, "ipv6");
	}
	return list;
}

function familyOf(address: string): "ipv4" | "ipv6" {
	return isIP(address) === 6 ? "ipv6" : "ipv4";
}

/** An IPv6 address as the eight numbers that it stands for, however it is spelt. */
function groupsOf(address: string): number[] {
	const hostname = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? "";
	const [before, after] = hostname.split("::").map((part) => part.split(":").filter(Boolean));
	const zeros = after === undefined ? [] : Array<string>(8 - before.length - after.length).fill("0");
	return [...before, ...zeros, ...(after ?? [])].map((group) => Number.parseInt(group, 16));
}

function ipv4Of(high: number, low: number): string {
	return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * An address without a zone, and one that is mapped into IPv6 (`::ffff:7f00:1`) as the IPv4 address that a connection
 * to it reaches.
 */
function plainAddress(given: string): string {
	const [address] = given.split("%");
	if (isIP(address) !== 6) return address;
	const groups = groupsOf(address);
	return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
		? ipv4Of(groups[6], groups[7])
		: address;
}

/**
 * The IPv4 address at the other end of a translator or a tunnel that an IPv6 address leads to, by its prefix; `null`
 * where there is none.
 */
function embeddedAddress(address: string): string | null {
	if (isIP(address) !== 6) return null;
	const groups = groupsOf(address);
	const prefix = groups.slice(0, 6).join();
	// https://www.rfc-editor.org/rfc/rfc6052#section-2.1, https://www.rfc-editor.org/rfc/rfc2765#section-2.1
	if (prefix === NAT64 || prefix === TRANSLATED) return ipv4Of(groups[6], groups[7]);
	// https://www.rfc-editor.org/rfc/rfc3056#section-2
	return groups[0] === 0x2002 ? ipv4Of(groups[1], groups[2]) : null;
}

const NAT64 = [0x64, 0xff9b, 0, 0, 0, 0].join();
const TRANSLATED = [0, 0, 0, 0, 0xffff, 0].join();

/**
 * Decides which addresses functions may reach. By default that is the public internet and nothing of this machine's
 * networks.
 */
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
		const plain = plainAddress(address);
		if (isIP(plain) === 0) return `${hostname} is not allowed`;
		const embedded = embeddedAddress(plain);
		return this.#refuse(plain, hostname) ?? (embedded === null ? null : this.#refuse(embedded, hostname));
	}

	#refuse(address: string, hostname: string): string | null {
		const family = familyOf(address);
		if (this.#deny[family].check(address, family)) return `${hostname} is not allowed`;
		if (this.#allow.names.has(hostname) || this.#allow[family].check(address, family)) return null;
		return this.#private[family].check(address, family) ? `${hostname} is on a private network` : null;
	}
}
