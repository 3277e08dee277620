/**
 * `cloudflare:workers`, as far as it needs no platform of its own:
 * https://developers.cloudflare.com/workers/runtime-apis/
 */
/** The function's environment, also outside of a request. */
export const env = Deno.env.toObject();

/** The base class of a handler that is a class. */
export class WorkerEntrypoint {
	readonly ctx: unknown;
	readonly env: unknown;
	constructor(ctx: unknown, env_: unknown) {
		this.ctx = ctx;
		this.env = env_;
	}
}
