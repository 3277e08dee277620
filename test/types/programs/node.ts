/** Node's modules, as code for the edge uses them, and its globals. */
import assert, { deepStrictEqual } from "node:assert";
import strict from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { Buffer as FromModule } from "node:buffer";
import { createHash, createHmac, randomBytes, randomUUID, scryptSync, timingSafeEqual } from "node:crypto";
import EventEmitter, { once } from "node:events";
import path, { posix } from "node:path";
import { performance as clock } from "node:perf_hooks";
import processModule, { nextTick } from "node:process";
import { parse as parseQuery } from "node:querystring";
import { PassThrough, pipeline, Readable, Transform } from "node:stream";
import { pipeline as piped } from "node:stream/promises";
import type { ReadableStream as WebStream } from "node:stream/web";
import { StringDecoder } from "node:string_decoder";
import { setImmediate as soon } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { URL as FromUrl, fileURLToPath } from "node:url";
import util, { inspect, promisify, types } from "node:util";
import { isDate } from "node:util/types";
import bare from "events";

class Chat extends EventEmitter {
	say(text: string): boolean {
		return this.emit("said", text);
	}
}
class Upper extends Transform {
	override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, chunk?: unknown) => void): void {
		done(null, chunk.toString("utf8").toUpperCase());
	}
}
const store = new AsyncLocalStorage<{ id: string }>();

export default {
	async fetch(request: Request): Promise<Response> {
		const { id } = store.run({ id: randomUUID() }, () => store.getStore() ?? { id: "" });
		const digest: string = createHash("sha256").update(id).digest("hex");
		const mac: Buffer = createHmac("sha256", "key").update(FromModule.from("data")).digest();
		assert(timingSafeEqual(mac, randomBytes(mac.length)) === false);
		deepStrictEqual(scryptSync("a", "b", 16).length, 16);
		strict.equal(path.join("a", "b"), posix.join("a", "b"));
		const chat = new Chat();
		const heard: Promise<unknown[]> = once(chat, "said");
		chat.on("said", (text: string) => console.log(text)).say("hello");
		await heard;
		const upper = Readable.from(["a"]).pipe(new Upper());
		pipeline(upper, new PassThrough(), (error?: Error) => console.log(error?.message));
		await piped(Readable.from(["b"]), new PassThrough());
		const later: (delay: number) => Promise<string> = promisify(
			(delay: number, done: (e: unknown, r: string) => void) => setTimeout(() => done(null, "later"), delay),
		);
		await sleep(1, await later(1));
		soon((text) => console.log(text), "soon");
		nextTick(() => undefined);
		const parts = parseQuery(new FromUrl(request.url).search.slice(1));
		const web: WebStream<Uint8Array> = Readable.toWeb(upper) as WebStream<Uint8Array>;
		const decoded = new StringDecoder("utf8").write(Buffer.from([0xe2, 0x82]));
		const texts = [
			inspect(parts, { depth: 2 }),
			util.format("%s", clock.now()),
			fileURLToPath("file:///a"),
			process.env.KEY ?? processModule.platform,
			String(types.isMap(parts) || isDate(parts)),
			decoded,
			digest,
			typeof bare,
			setImmediate(() => undefined).toFixed(),
			String(global === globalThis),
		];
		return new Response(texts.join() + web.locked);
	},
};

// @ts-expect-error: there are no files
export type Files = typeof import("node:fs");
// @ts-expect-error: nor ciphers
export type Cipher = typeof import("node:crypto").createCipheriv;
