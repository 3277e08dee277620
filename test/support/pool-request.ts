import type { AttemptReport } from "../../src/link/protocol.ts";
import { encodeRequestHead } from "../../src/link/request-head.ts";
import type { AttemptListener } from "../../src/pool/attempt.ts";
import type { LaneName } from "../../src/pool/place.ts";
import type { ProcessPool } from "../../src/pool/process-pool.ts";
import type { RunnableVersion } from "../../src/pool/runnable-version.ts";
import { noCalls } from "./calls.ts";

/** Asks a pool for one request at a version, and waits until it is done. Tells whether it was cold. */
export function askPool(pool: ProcessPool, version: RunnableVersion, lane: LaneName = "normal"): Promise<boolean> {
	const { promise, resolve, reject } = Promise.withResolvers<boolean>();
	const listener = {
		version,
		event: { hear: () => undefined },
		onDone: ({ cold }: AttemptReport) => resolve(cold),
		onFailed: (failure: { message: string }) => reject(new Error(failure.message)),
		onLost: () => reject(new Error("lost")),
		onCulprit: () => undefined,
	} as unknown as AttemptListener;
	const head = encodeRequestHead({ method: "GET", url: "http://f.test/", headers: [], body: "none", client: null });
	pool.sandbox(version, lane, false)?.attempt(listener, noCalls()).start(1000, 0, head, null);
	return promise;
}
