/**
 * `cloudflare:workers`, which the prelude has under a symbol, loaded when it is first asked for:
 * https://developers.cloudflare.com/workers/runtime-apis/
 */
type Workers = typeof import("cloudflare:workers");

export const { env, exports, RpcTarget, waitUntil, WorkerEntrypoint, withEnv } = (
	globalThis as unknown as Record<symbol, Workers>
)[Symbol.for("atoll.workers")];
