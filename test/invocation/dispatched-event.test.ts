import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionError } from "../../src/errors.ts";
import { DispatchedEvent } from "../../src/invocation/dispatched-event.ts";
import { scheduled } from "../../src/invocation/events/scheduled.ts";
import type { Invocation } from "../../src/invocation/invocation.ts";
import { encodeException } from "../../src/link/exception.ts";
import { encodeResponseHead } from "../../src/link/heads.ts";
import { Kind } from "../../src/link/messages.ts";

/** An event that has begun, and what its invocation was told. */
function begun() {
	const event = new DispatchedEvent(scheduled.encode({ type: "scheduled", cron: "", scheduledTime: 0 }));
	const failures: string[] = [];
	let forgeries = 0;
	event.begin({
		recording: { record: { outcome: "ok" }, failed: ({ code }: FunctionError) => failures.push(code) },
		refresh: () => undefined,
		refuseForgery: () => forgeries++,
	} as unknown as Invocation);
	const hear = (kind: Kind, text: string, data?: Uint8Array) => event.hear({ kind, op: 0, text, data });
	return { event, hear, failures, forgeries: () => forgeries };
}

const RESPONSE = encodeResponseHead(200, "none", 0, "", []);
const THROWN = encodeException({ code: "exception", message: "x", stack: "" });

test("what is another event's, and what nobody can say of this one, is a forgery", () => {
	const { event, hear, forgeries } = begun();
	hear(Kind.response, RESPONSE);
	hear(Kind.body, "", new Uint8Array(1));
	hear(Kind.end, "");
	hear(Kind.verdicts, "0 ackAll -");
	hear(Kind.verdicts, "1 noRetry -");
	assert.equal(forgeries(), 5);
	assert.equal(event.over, false);
});

test("the first verdicts count, and one failure, however often they are told", async () => {
	const { event, hear, failures } = begun();
	assert.equal(event.repeatable(false), true);
	assert.equal(event.repeatable(true), false);
	hear(Kind.verdicts, "0 noRetry -");
	hear(Kind.verdicts, "");
	assert.deepEqual([event.over, event.repeatable(false)], [true, false]);
	for (let i = 0; i < 100; i++) hear(Kind.exception, THROWN);
	assert.deepEqual(failures, ["exception"]);
	event.settle();
	const { error, verdicts } = await event.ended;
	assert.equal(error?.message, "x");
	assert.deepEqual(verdicts, [{ part: 0, method: "noRetry", delaySeconds: null }]);
});
