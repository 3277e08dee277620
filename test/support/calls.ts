import type { CallLimits } from "../../src/bindings/bounds.ts";
import { Calls, type OpenBindings } from "../../src/bindings/calls.ts";
import type { Reply } from "../../src/bindings/reply.ts";
import { Account } from "../../src/limits/account.ts";
import { newSpanId, newTraceId } from "../../src/observe/trace-context.ts";

/** The calls of an attempt whose function has no bindings, or these. */
export function noCalls(limits: Partial<CallLimits> = {}, open: OpenBindings = () => null): Calls {
	return new Calls({
		open,
		limits: limits as CallLimits,
		account: Account.ofAll(1e6).for({ giveUp: () => undefined }),
		tracing: {
			traceCall: () => null,
			traceOf: () => ({ traceId: newTraceId(), spanId: newSpanId(), sampled: false, state: "" }),
		},
		onExceeded: () => undefined,
	});
}

/** A way back that nothing comes of, but for what is given. */
export function replyOf(given: Partial<Reply>): Reply {
	const ignored = () => undefined;
	return { send: ignored, clogged: () => false, lend: ignored, forgetter: () => ignored, ...given };
}
