import type { Lines } from "../feed/lines.ts";
import type { ToControl, ToEdge } from "../feed/messages.ts";
import type { Runtime } from "../runtime.ts";
import type { Bytes } from "../units.ts";

/** So much goes to control at once, as fast as it takes it. */
const PART: Bytes = 48 * 1024;
const MOST_LETTERS = 500;

/** The CPU profiles that control has asked for, by its numbers. */
export class ProfileRequests {
	readonly #runtime: Pick<Runtime, "profile">;
	readonly #taking = new Map<number, AbortController>();

	constructor(runtime: Pick<Runtime, "profile">) {
		this.#runtime = runtime;
	}

	/** Takes one, and tells control what came of it, over the connection by which it has asked. */
	async take(asked: ToEdge & { kind: "profile" }, lines: Lines<ToEdge, ToControl>): Promise<void> {
		const { number, function: id, version, seconds, requests } = asked;
		const abort = new AbortController();
		this.#taking.set(number, abort);
		let problem: string | null = null;
		try {
			const bounds = { ms: seconds * 1000, requests, signal: abort.signal };
			const bytes = await this.#runtime.profile(id, version, bounds);
			for (let at = 0; at < bytes.length && !lines.closed && !abort.signal.aborted; at += PART) {
				const part = Buffer.from(bytes.subarray(at, at + PART)).toString("base64");
				lines.send({ kind: "profilePart", number, bytes: part });
				await lines.ready();
			}
		} catch (error) {
			problem = (error as Error).message.slice(0, MOST_LETTERS);
		}
		if (this.#taking.get(number) === abort) this.#taking.delete(number);
		lines.send({ kind: "profiled", number, problem });
	}

	/** Nobody waits for one any more. */
	end(number: number): void {
		this.#taking.get(number)?.abort();
	}

	/** Control is gone, and all who wait there. */
	endAll(): void {
		for (const abort of this.#taking.values()) abort.abort();
		this.#taking.clear();
	}
}
