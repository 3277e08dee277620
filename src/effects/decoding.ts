import { pipeline, Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";

/** A body may be compressed so many times over: each takes memory of its own. */
const MOST = 3;

const DECODERS: Record<string, () => ReturnType<typeof createGunzip>> = {
	gzip: () => createGunzip(),
	"x-gzip": () => createGunzip(),
	deflate: () => createInflate(),
	br: () => createBrotliDecompress() as unknown as ReturnType<typeof createGunzip>,
	zstd: () => createZstdDecompress() as unknown as ReturnType<typeof createGunzip>,
};

/**
 * The decoders that a `content-encoding` asks for, in the order of their use; `null` where there is one that is not known, whose
 * body is handed on as it is. Throws for more than anyone needs.
 */
export function decodersOf(contentEncoding: string): (() => ReturnType<typeof createGunzip>)[] | null {
	const encodings = contentEncoding
		.toLowerCase()
		.split(",")
		.map((part) => part.trim())
		.filter(Boolean);
	if (encodings.length > MOST) throw new Error(`the response has more than ${MOST} content encodings`);
	if (!encodings.every((encoding) => Object.hasOwn(DECODERS, encoding))) return null;
	return encodings.reverse().map((encoding) => DECODERS[encoding]);
}

/** A body, decoded. */
export function decode(
	body: AsyncIterable<Uint8Array>,
	decoders: (() => ReturnType<typeof createGunzip>)[],
): AsyncIterable<Uint8Array> {
	if (decoders.length === 0) return body;
	const [first, ...rest] = decoders.map((decoder) => decoder());
	// Whoever reads the last of them hears of what fails in any.
	return pipeline([Readable.from(body, { objectMode: false }), first, ...rest], () => undefined) as typeof first;
}
