// PNG, as far as pictures of 8 bits a channel go: https://www.w3.org/TR/png-3/

/** Four bytes a pixel. */
export interface Picture {
	width: number;
	height: number;
	pixels: Uint8Array;
}

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
/** Bytes of a pixel, by the type of colour: grey, RGB, grey with alpha, RGB with alpha. */
const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 4: 2, 6: 4 };
const MOST_PIXELS = 4_000_000;

export async function decodePng(bytes: Uint8Array<ArrayBuffer>): Promise<Picture> {
	if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) throw new Error("it is no PNG");
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const [width, height] = [view.getUint32(16), view.getUint32(20)];
	const [depth, colour, , , interlaced] = bytes.subarray(24, 29);
	const channels = CHANNELS[colour];
	if (depth !== 8 || channels === undefined || interlaced !== 0) throw new Error("it is a PNG of another kind");
	if (width * height > MOST_PIXELS) throw new Error(`it has more than ${MOST_PIXELS} pixels`);
	const data: Uint8Array<ArrayBuffer>[] = [];
	for (let at = 8; at + 12 <= bytes.length; at += view.getUint32(at) + 12)
		if (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) === "IDAT")
			data.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at)));
	const rows = await new Response(new Blob(data).stream().pipeThrough(new DecompressionStream("deflate"))).bytes();
	if (rows.length < height * (width * channels + 1)) throw new Error("it is not whole");
	return { width, height, pixels: coloured(unfiltered(rows, { width, height, channels }), channels) };
}

/** Each row is told by what differs from its neighbours: https://www.w3.org/TR/png-3/#9Filters */
function unfiltered(
	rows: Uint8Array,
	{ width, height, channels }: { width: number; height: number; channels: number },
) {
	const length = width * channels;
	const all = new Uint8Array(height * length);
	for (let y = 0; y < height; y++) {
		const filter = rows[y * (length + 1)];
		for (let x = 0; x < length; x++) {
			const left = x < channels ? 0 : all[y * length + x - channels];
			const up = y === 0 ? 0 : all[(y - 1) * length + x];
			const corner = x < channels || y === 0 ? 0 : all[(y - 1) * length + x - channels];
			const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
			all[y * length + x] = rows[y * (length + 1) + 1 + x] + guess;
		}
	}
	return all;
}

function paeth(left: number, up: number, corner: number): number {
	const [a, b, c] = [left, up, corner].map((one) => Math.abs(left + up - corner - one));
	return a <= b && a <= c ? left : b <= c ? up : corner;
}

function coloured(bytes: Uint8Array, channels: number): Uint8Array {
	const pixels = new Uint8Array((bytes.length / channels) * 4);
	for (let i = 0, at = 0; i < bytes.length; i += channels, at += 4) {
		const isGrey = channels < 3;
		pixels[at] = bytes[i];
		pixels[at + 1] = bytes[isGrey ? i : i + 1];
		pixels[at + 2] = bytes[isGrey ? i : i + 2];
		pixels[at + 3] = channels % 2 === 0 ? bytes[i + channels - 1] : 255;
	}
	return pixels;
}

/** No wider and no higher than so many pixels, each the mean of those in its place. */
export function scaled({ width, height, pixels }: Picture, most: number): Picture {
	const factor = Math.max(1, width / most, height / most);
	const small = { width: Math.max(1, Math.floor(width / factor)), height: Math.max(1, Math.floor(height / factor)) };
	const made = new Uint8Array(small.width * small.height * 4);
	for (let y = 0; y < small.height; y++)
		for (let x = 0; x < small.width; x++) {
			const sums = [0, 0, 0, 0];
			let count = 0;
			for (let fromY = Math.floor(y * factor); fromY < Math.min(height, Math.ceil((y + 1) * factor)); fromY++)
				for (let fromX = Math.floor(x * factor); fromX < Math.min(width, Math.ceil((x + 1) * factor)); fromX++) {
					for (let i = 0; i < 4; i++) sums[i] += pixels[(fromY * width + fromX) * 4 + i];
					count++;
				}
			for (let i = 0; i < 4; i++) made[(y * small.width + x) * 4 + i] = sums[i] / count;
		}
	return { ...small, pixels: made };
}

export async function encodePng({ width, height, pixels }: Picture): Promise<Uint8Array<ArrayBuffer>> {
	const rows = new Uint8Array(height * (width * 4 + 1));
	for (let y = 0; y < height; y++)
		rows.set(pixels.subarray(y * width * 4, (y + 1) * width * 4), y * (width * 4 + 1) + 1);
	const data = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
	const head = new Uint8Array(13);
	const view = new DataView(head.buffer);
	view.setUint32(0, width);
	view.setUint32(4, height);
	head.set([8, 6, 0, 0, 0], 8);
	const parts = [Uint8Array.from(SIGNATURE), chunk("IHDR", head)];
	parts.push(chunk("IDAT", await new Response(data).bytes()), chunk("IEND", new Uint8Array(0)));
	return new Blob(parts).bytes();
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(data.length + 12);
	const view = new DataView(bytes.buffer);
	view.setUint32(0, data.length);
	bytes.set(new TextEncoder().encode(type), 4);
	bytes.set(data, 8);
	view.setUint32(data.length + 8, crc(bytes.subarray(4, data.length + 8)));
	return bytes;
}

/** https://www.w3.org/TR/png-3/#D-CRCAppendix */
function crc(bytes: Uint8Array): number {
	let sum = 0xffffffff;
	for (const byte of bytes) {
		sum ^= byte;
		for (let i = 0; i < 8; i++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
	}
	return ~sum >>> 0;
}
