import { error, type Step, standard } from "../support/standard.ts";

/** Characters whose mapping other tables than the standard's indexes have wrong. */
const INDEXES: [label: string, bytes: number[], text: string][] = [
	["euc-kr", [0x81, 0x41], "\uac02"],
	["euc-kr", [0xb0, 0xa1], "가"],
	["big5", [0x88, 0x62], "\u00ca\u0304"],
	["big5", [0x87, 0x40], "\u43f0"],
	["gb18030", [0x81, 0x30, 0x84, 0x36], "\u00a5"],
	["gbk", [0x80], "€"],
	["shift_jis", [0x81, 0x60], "\uff5e"],
	["shift_jis", [0xf0, 0x40], "\ue000"],
	["shift_jis", [0xb1], "\uff71"],
	["euc-jp", [0xa1, 0xc1], "\uff5e"],
	["euc-jp", [0x8f, 0xb0, 0xa1], "\u4e02"],
	["euc-jp", [0x8e, 0xb1], "\uff71"],
	["iso-2022-jp", [0x1b, 0x24, 0x42, 0x24, 0x22, 0x1b, 0x28, 0x42, 0x41], "あA"],
	["windows-1252", [0x80, 0x81, 0xff], "€\u0081ÿ"],
	["windows-1251", [0xcf, 0x98], "П\u0098"],
	["iso-8859-8-i", [0xe0], "א"],
	["koi8-u", [0xae], "ў"],
	["macintosh", [0xdb], "€"],
	["x-user-defined", [0x41, 0x80, 0xff], "A\uf780\uf7ff"],
	["utf-16be", [0xd8, 0x3d, 0xde, 0x00], "😀"],
	["utf-16le", [0x3d, 0xd8, 0x41, 0x00], "\ufffdA"],
	["replacement", [0x41, 0x42], "\ufffd"],
	["utf-8", [0xf0, 0x9f, 0x98, 0x80, 0xc0, 0xed, 0xa0, 0x80], "😀\ufffd\ufffd\ufffd\ufffd"],
];

const decode = (label: string, bytes: number[]) =>
	`new TextDecoder(${JSON.stringify(label)}).decode(new Uint8Array([${bytes}]))`;
const inPieces = (label: string, bytes: number[]) => `
	const decoder = new TextDecoder(${JSON.stringify(label)});
	let text = "";
	for (const byte of [${bytes}]) text += decoder.decode(new Uint8Array([byte]), { stream: true });
	return text + decoder.decode();`;

standard("https://encoding.spec.whatwg.org/", {
	"#dom-textdecoder": [
		[
			"1. gets an encoding from the label, without regard to case and white space",
			`new TextDecoder(" \\n UTF8\\t").encoding`,
			"utf-8",
		],
		[
			"1. labels are the standard's own",
			`["latin1", "ascii", "l1", "sjis", "ksc5601", "gb2312", "utf-16", "unicode11utf8", "x-sjis", "dos-874"].map((l) => new TextDecoder(l).encoding)`,
			[
				"windows-1252",
				"windows-1252",
				"windows-1252",
				"shift_jis",
				"euc-kr",
				"gbk",
				"utf-16le",
				"utf-8",
				"shift_jis",
				"windows-874",
			],
		],
		["2. throws a RangeError if there is none", `new TextDecoder("nope")`, error("RangeError")],
		[
			"2. throws for the empty label and for one with NUL",
			`return ["", "utf-8\\0", "\\u00a0utf-8"].map((l) => { try { new TextDecoder(l); return "none"; } catch (e) { return e.name; } })`,
			["RangeError", "RangeError", "RangeError"],
		],
		["2. throws a RangeError for the replacement encoding", `new TextDecoder("iso-2022-kr")`, error("RangeError")],
		[
			"4. takes the error mode and the BOM flag from the options",
			`const d = new TextDecoder("utf-8", { fatal: 1, ignoreBOM: "x" }); return [d.fatal, d.ignoreBOM]`,
			[true, true],
		],
		[
			"the label's default is utf-8",
			`[new TextDecoder().encoding, new TextDecoder(undefined, null).encoding]`,
			["utf-8", "utf-8"],
		],
		["cannot be called without new", `TextDecoder()`, error("TypeError")],
	],
	"#dom-textdecoder-decode": [
		[
			"1. begins anew unless the last call was one of a stream",
			`const d = new TextDecoder(); d.decode(new Uint8Array([0xe2, 0x82])); return d.decode(new Uint8Array([0xac]))`,
			"\ufffd",
		],
		[
			"2. the stream option keeps what is incomplete",
			`const d = new TextDecoder(); return [d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }), d.decode(new Uint8Array([0xac]))]`,
			["", "€"],
		],
		[
			"3. takes any view of a buffer, and buffers",
			`const b = new Uint8Array([65, 66, 67, 68]).buffer; const d = new TextDecoder(); return [d.decode(b), d.decode(new DataView(b, 1, 2)), d.decode(new Uint16Array(b, 2))]`,
			["ABCD", "BC", "CD"],
		],
		["3. nothing decodes to nothing", `[new TextDecoder().decode(), new TextDecoder().decode(undefined)]`, ["", ""]],
		["3. refuses what is no buffer", `new TextDecoder().decode("text")`, error("TypeError")],
		[
			"3. reads a resizable buffer at its length of now",
			`const b = new ArrayBuffer(2, { maxByteLength: 8 }); new Uint8Array(b).fill(65); const v = new Uint8Array(b); b.resize(4); new Uint8Array(b).fill(66, 2); return new TextDecoder().decode(v)`,
			"AABB",
		],
		[
			"3. a detached buffer is empty",
			`const b = new ArrayBuffer(4); structuredClone(b, { transfer: [b] }); return new TextDecoder().decode(b)`,
			"",
		],
		[
			"5.3 a fatal error throws a TypeError",
			`new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff]))`,
			error("TypeError"),
		],
		[
			"5.3 an incomplete end is fatal once the stream ends",
			`const d = new TextDecoder("utf-8", { fatal: true }); d.decode(new Uint8Array([0xe2]), { stream: true }); return d.decode()`,
			error("TypeError"),
		],
		[
			"after a fatal error the decoder can be used again",
			`const d = new TextDecoder("utf-8", { fatal: true }); try { d.decode(new Uint8Array([0xff])); } catch {} return d.decode(new Uint8Array([65]))`,
			"A",
		],
	],
	"#concept-td-serialize": [
		[
			"2. a byte order mark is left out once, at the beginning",
			`new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 65, 0xef, 0xbb, 0xbf]))`,
			"A\ufeff",
		],
		[
			"2. also where it comes in pieces",
			`const d = new TextDecoder(); return d.decode(new Uint8Array([0xef]), { stream: true }) + d.decode(new Uint8Array([0xbb, 0xbf, 65]), { stream: true }) + d.decode()`,
			"A",
		],
		[
			"2. it stays with ignoreBOM",
			`new TextDecoder("utf-16le", { ignoreBOM: true }).decode(new Uint8Array([0xff, 0xfe, 65, 0]))`,
			"\ufeffA",
		],
		[
			"2. it is the mark of the very encoding",
			`new TextDecoder("utf-16be").decode(new Uint8Array([0xfe, 0xff, 0, 65]))`,
			"A",
		],
		[
			"2. each use of the decoder leaves one out",
			`const d = new TextDecoder(); const b = new Uint8Array([0xef, 0xbb, 0xbf, 65]); return d.decode(b) + d.decode(b)`,
			"AA",
		],
	],
	"#indexes": INDEXES.filter(([label]) => label !== "replacement").flatMap(([label, bytes, text]): Step[] => [
		[`${label} ${bytes}`, decode(label, bytes), text],
		[`${label} ${bytes}, byte by byte`, inPieces(label, bytes), text],
	]),
	"#dom-textencoder": [
		["its encoding is utf-8, whatever is asked for", `new TextEncoder("utf-16").encoding`, "utf-8"],
		[
			"encode: an absent input is empty",
			`[new TextEncoder().encode().length, new TextEncoder().encode(undefined).length]`,
			[0, 0],
		],
		["encode: input is a USVString", `[...new TextEncoder().encode("a\\ud800")]`, [97, 0xef, 0xbf, 0xbd]],
		["encode: converts to a string", `[...new TextEncoder().encode({ toString: () => "é" })]`, [0xc3, 0xa9]],
		[
			"encode: gives a Uint8Array of its own buffer",
			`const u = new TextEncoder().encode("ab"); return [u.constructor === Uint8Array, u.byteOffset, u.buffer.byteLength]`,
			[true, 0, 2],
		],
	],
	"#dom-textencoder-encodeinto": [
		[
			"writes whole scalar values only",
			`const u = new Uint8Array(4); return [new TextEncoder().encodeInto("aé😀", u), [...u]]`,
			[{ read: 2, written: 3 }, [97, 0xc3, 0xa9, 0]],
		],
		[
			"counts code units read and bytes written",
			`new TextEncoder().encodeInto("😀x", new Uint8Array(5))`,
			{ read: 3, written: 5 },
		],
		[
			"a lone surrogate is three bytes",
			`const u = new Uint8Array(3); return [new TextEncoder().encodeInto("\\udc00", u), [...u]]`,
			[{ read: 1, written: 3 }, [0xef, 0xbf, 0xbd]],
		],
		[
			"the destination is a Uint8Array",
			`new TextEncoder().encodeInto("a", new Uint8ClampedArray(1))`,
			error("TypeError"),
		],
		["both arguments are required", `new TextEncoder().encodeInto("a")`, error("TypeError")],
		[
			"respects the view's offset",
			`const b = new Uint8Array(4); new TextEncoder().encodeInto("xy", b.subarray(1, 3)); return [...b]`,
			[0, 120, 121, 0],
		],
	],
	"#interface-textdecoderstream": [
		[
			"decodes over chunks",
			`let s = ""; for await (const c of ReadableStream.from([new Uint8Array([0xe2]), new Uint8Array([0x82, 0xac])]).pipeThrough(new TextDecoderStream())) s += c; return s`,
			"€",
		],
		[
			"flushes what is incomplete",
			`let s = ""; for await (const c of ReadableStream.from([new Uint8Array([0xe2])]).pipeThrough(new TextDecoderStream())) s += c; return s`,
			"\ufffd",
		],
		[
			"a chunk that is no buffer errors it",
			`for await (const c of ReadableStream.from(["a"]).pipeThrough(new TextDecoderStream()));`,
			error("TypeError"),
		],
	],
	"#interface-textencoderstream": [
		[
			"a pair of surrogates over two chunks is one character",
			`const out = []; for await (const c of ReadableStream.from(["\\ud83d", "\\ude00"]).pipeThrough(new TextEncoderStream())) out.push(...c); return out`,
			[0xf0, 0x9f, 0x98, 0x80],
		],
		[
			"a surrogate that stays alone is replaced at the end",
			`const out = []; for await (const c of ReadableStream.from(["a", "\\ud83d"]).pipeThrough(new TextEncoderStream())) out.push(...c); return out`,
			[97, 0xef, 0xbf, 0xbd],
		],
		[
			"a high surrogate before another character is replaced",
			`const out = []; for await (const c of ReadableStream.from(["\\ud83d", "b"]).pipeThrough(new TextEncoderStream())) out.push(...c); return out`,
			[0xef, 0xbf, 0xbd, 98],
		],
	],
});
