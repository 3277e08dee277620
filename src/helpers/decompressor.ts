import { HelperKind } from "../link/helper-frames.ts";
import type { Launcher } from "../processes/launcher.ts";
import type { Bytes } from "../units.ts";
import { type Compressed, CompressedBody } from "./compressed-body.ts";
import { Helper } from "./helper.ts";
import { OpenStreams } from "./open-streams.ts";

/** So many streams of a tenant's may wait for their turn. */
const MOST_WAITING = 2000;
/** What all streams together may take of the helper's memory. */
const MOST_OPEN: Bytes = 512 * 2 ** 20;

/** Decompresses bodies, in a helper. */
export class Decompressor {
	readonly #helper: Helper;
	readonly #streams: OpenStreams;

	constructor(launcher: Launcher) {
		this.#helper = new Helper(launcher, MOST_WAITING);
		this.#streams = new OpenStreams(MOST_OPEN, ({ id }) => this.#helper.send({ kind: HelperKind.drop, id }));
	}

	/** A body is about to be asked for which may well be compressed. */
	warm(): void {
		this.#helper.warm();
	}

	/** What a body decompresses to, made as it is read. */
	decompress(compressed: Compressed): AsyncIterable<Uint8Array> {
		return new CompressedBody(this.#helper, this.#streams, compressed);
	}

	/** Steps that the helper has taken. */
	get jobs(): number {
		return this.#helper.jobs;
	}

	async close(): Promise<void> {
		await this.#helper.close();
	}
}
