import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScheduledEvent } from "../../../src/index.ts";
import { EVENT_TYPES } from "../../../src/invocation/event-types.ts";
import type { Dispatched } from "../../../src/runtime.ts";
import { TestRuntime } from "../../support/runtime.ts";
import { type AlarmEvent, type AlarmResult, alarm } from "./alarm.ts";

const atoll = new TestRuntime({}, { ...EVENT_TYPES, alarm });

/** As an overload of `dispatch` would have it. */
function dispatch(name: string, event: AlarmEvent): Promise<Dispatched<AlarmResult>> {
	return atoll.runtime.dispatch({ name }, event as unknown as ScheduledEvent) as Promise<
		Dispatched<unknown>
	> as Promise<Dispatched<AlarmResult>>;
}

test("a new type of event is one file of its own, and one line where the others are", async () => {
	await atoll.deploy(
		"rings",
		`export default {
			fetch() {},
			alarm(alarm) {
				console.log(alarm.due.getTime(), alarm.retryCount);
				if (alarm.retryCount > 0) throw new Error("rang again");
				alarm.snooze({ delaySeconds: 7 });
			},
		}`,
	);
	const rung = await dispatch("rings", { type: "alarm", due: 12, retryCount: 0 });
	assert.deepEqual([rung.outcome, rung.result], ["ok", { snoozed: 7 }]);
	assert.deepEqual([rung.record.event, rung.record.trigger], ["alarm", "dispatch"]);
	await atoll.log("12 0");
	const again = await dispatch("rings", { type: "alarm", due: 12, retryCount: 1 });
	assert.deepEqual([again.outcome, again.error, again.result], ["exception", "rang again", { snoozed: null }]);
	await assert.rejects(dispatch("rings", { type: "alarm", due: 12, retryCount: -1 }), /dispatch: retryCount/);
	await atoll.deploy("deaf", "export default { fetch() {} }");
	assert.equal((await dispatch("deaf", { type: "alarm", due: 12, retryCount: 0 })).outcome, "no_handler");
});
