import { randomFillSync } from "node:crypto";
import { TextDecoder as StandardDecoder } from "@exodus/bytes/encoding.js";
import type ivm from "isolated-vm";
import { lend } from "./lent.ts";

const PARTS = [
	"href",
	"origin",
	"protocol",
	"username",
	"password",
	"host",
	"hostname",
	"port",
	"pathname",
	"search",
	"hash",
] as const;

function partsOf(url: URL): string {
	let text = url.href;
	for (let i = 1; i < PARTS.length; i++) text += `\n${url[PARTS[i]]}`;
	return text;
}

const SETTABLE = new Set<string>(PARTS.filter((part) => part !== "href" && part !== "origin"));

type Decoder = Pick<TextDecoder, "decode">;
const decoders = new Map<string, Decoder>();

// It reads its tables from a file when it first needs one, which a sandbox can do only until it has given up its
// permissions.
new StandardDecoder("euc-kr").decode(new Uint8Array([0xb0, 0xa1]));

const UNICODE = /^utf-(?:8|16[bl]e)$/;

function decoderFor(label: string, fatal: boolean, ignoreBOM: boolean): Decoder {
	const key = `${label} ${fatal} ${ignoreBOM}`;
	let decoder = decoders.get(key);
	if (decoder === undefined) {
		// Node's own tables for the others are those of ICU, which are not the standard's.
		const Decoder = UNICODE.test(label) ? TextDecoder : StandardDecoder;
		decoder = new Decoder(label, { fatal, ignoreBOM });
		decoders.set(key, decoder);
	}
	return decoder;
}

const encoder = new TextEncoder();

let turnTime = currentTime();

/** Milliseconds since the epoch, to the microsecond. */
function currentTime(): number {
	return Math.floor((performance.timeOrigin + performance.now()) * 1000) / 1000;
}

/** Sets the clocks of all isolates to the present. Done before each turn, and not while one runs. */
export function advanceClock(): void {
	turnTime = currentTime();
}

let running = false;

/** Lets the isolates' clocks run during turns: for code that is trusted not to time its neighbours. */
export function runClocks(): void {
	running = true;
}

/**
 * The pure functions that a sandbox lends to every isolate. They take primitives and bytes and give the same; they
 * never throw, because an error that crosses into an isolate would carry the sandbox's stack with it.
 */
const pure = {
	encodeUtf8: (text: unknown) => encoder.encode(String(text)).buffer,
	decode(bytes: unknown, label: unknown, fatal: unknown, ignoreBOM: unknown) {
		if (!(bytes instanceof Uint8Array)) return null;
		try {
			return decoderFor(String(label), fatal === true, ignoreBOM === true).decode(bytes);
		} catch {
			return null; // Malformed input under `fatal`, which the isolate turns into its own TypeError.
		}
	},
	encodingName(label: unknown) {
		try {
			return new StandardDecoder(String(label)).encoding;
		} catch {
			return null; // Not the name of an encoding, which the isolate turns into its own RangeError.
		}
	},
	parseUrl(input: unknown, base: unknown) {
		const url = URL.parse(String(input), base === undefined ? undefined : String(base));
		return url === null ? null : partsOf(url);
	},
	setUrl(href: unknown, property: unknown, value: unknown) {
		const url = URL.parse(String(href));
		if (url === null || !SETTABLE.has(String(property))) return String(href);
		url[property as "search"] = String(value);
		return partsOf(url);
	},
	randomBytes(length: unknown) {
		const bytes = new Uint8Array(Math.min(Math.max(Number(length) || 0, 0), 65536));
		return randomFillSync(bytes).buffer;
	},
	now: () => (running ? currentTime() : turnTime),
} satisfies Record<string, (...args: unknown[]) => unknown>;

/** The pure functions as callbacks; one set serves every isolate. */
export const services: [name: string, callback: ivm.Callback][] = Object.entries(pure).map(([name, service]) => [
	name,
	lend(service as (...args: unknown[]) => unknown),
]);
