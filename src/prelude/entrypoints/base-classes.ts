import { asInterface } from "../interface.ts";

/**
 * The base class of a handler that is a class:
 * https://developers.cloudflare.com/workers/runtime-apis/bindings/service-bindings/rpc/
 */
export class WorkerEntrypoint {
	readonly ctx: unknown;
	readonly env: unknown;

	constructor(ctx: unknown, env: unknown) {
		this.ctx = ctx;
		this.env = env;
	}
}
asInterface(WorkerEntrypoint, "WorkerEntrypoint");

/** The base class of objects that are handed on by reference and not by their contents. */
export class RpcTarget {}
asInterface(RpcTarget, "RpcTarget");

/** Whether a value is a class of which `WorkerEntrypoint` is a base. */
export function isEntrypointClass(value: unknown): value is typeof WorkerEntrypoint {
	if (typeof value !== "function") return false;
	for (let at: unknown = value; typeof at === "function"; at = Object.getPrototypeOf(at))
		if (at === WorkerEntrypoint) return value !== WorkerEntrypoint;
	return false;
}
