import type { Socket } from "node:net";
import { Rate } from "../../../limits/rate.ts";
import type { Bytes, Milliseconds } from "../../../units.ts";

/** What a tenant's connections receive, whatever of it is a body. */
const PER_SECOND: Bytes = 64 * 2 ** 20;
/** So much is read of a connection at once, and what comes of it is worked on. */
const SLICE: Bytes = 4 * 1024;
/** A part of a response counts for so much at least: a body can come in chunks of one byte, each of which is work. */
const LEAST: Bytes = 512;
/** A field of a head counts for so much, beside its bytes; and no head has more of them. */
const FIELD: Bytes = 256;
const MOST_FIELDS = 256;
/** A connection counts for so much: it is work to make one, and to end it. */
const CONNECTION: Bytes = 256 * 1024;
/**
 * So much may come of which no head and no piece of a body comes: endless headers, trailers, extensions and zeros of
 * chunks.
 */
const MOST_SILENT: Bytes = 16 * 1024;

/**
 * What the connections of one tenant receive, at a pace that leaves the edge to others: a server that a function has
 * chosen could else keep it busy. What comes faster waits in the system's buffers, and then at its sender.
 */
export class Intake {
	readonly #rate = new Rate(PER_SECOND);
	/**
	 * What was read of the connection that was read last, since it was heard of. Whatever is parsed is parsed right
	 * after it is read.
	 */
	#last = { silent: 0 };

	/** A part of a response, with so much of a body, has come out of what was read last. Returns what it counts for. */
	heard(bytes: Bytes): Bytes {
		this.#last.silent = 0;
		if (bytes >= LEAST) return bytes;
		this.#rate.take(LEAST - bytes, performance.now());
		return LEAST;
	}

	/**
	 * So many fields of a head or of trailers have come: each is made a string or two of, and is work. Throws where
	 * they are too many.
	 */
	fields(count: number): void {
		this.#rate.take(count * FIELD, performance.now());
		if (count > MOST_FIELDS) throw new Error(`the response has more than ${MOST_FIELDS} header fields`);
	}

	/** So much has come out of a compressed body. Returns how long to wait before there may be more of it. */
	decompressed(bytes: Bytes): Milliseconds {
		return this.#rate.take(bytes, performance.now());
	}

	/** A connection was made that is no HTTP's. */
	connected(): void {
		this.#rate.take(CONNECTION, performance.now());
	}

	/** So much has come over one that is no HTTP's. Returns how long to wait before there may be more of it. */
	raw(bytes: Bytes): Milliseconds {
		return this.#rate.take(Math.max(bytes, LEAST), performance.now());
	}

	/** Has a connection read at this pace, by whoever calls its `read`. */
	pace(socket: Socket): void {
		const read = socket.read.bind(socket);
		this.#rate.take(CONNECTION, performance.now());
		const connection = { silent: 0 };
		let counted = 0;
		let waits = false;
		socket.read = (size?: number): unknown => {
			if (size !== undefined) return read(size); // Node's own calls, which ask for none.
			if (waits || socket.destroyed) return null;
			// Not the size of what is given out: some of it comes back, and is read again.
			const fresh = socket.bytesRead - counted;
			counted += fresh;
			const wait = this.#rate.take(fresh, performance.now());
			if (wait >= 1) {
				waits = true;
				setTimeout(() => {
					waits = false;
					socket.emit("readable");
				}, wait);
				return null;
			}
			if (connection.silent > MOST_SILENT) {
				socket.destroy(new Error(`the server sent ${connection.silent} bytes that are no part of a response`));
				return null;
			}
			const slice = (socket.readableLength > SLICE ? read(SLICE) : read()) as Buffer | null;
			connection.silent += slice?.length ?? 0;
			this.#last = connection;
			return slice;
		};
	}
}
