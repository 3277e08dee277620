import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutSession } from "../../src/http/session-cookie.ts";

test("the dashboard's cookie is no function's to see, and all others are", () => {
	const table: [given: string, seen: string][] = [
		["a=b", "a=b"],
		["atoll_session=secret", ""],
		["__Host-atoll_session=secret; a=b", "a=b"],
		["a=b;atoll_session=secret;  c=d", "a=b;  c=d"],
		["a=atoll_session=x; my_atoll_session=y", "a=atoll_session=x; my_atoll_session=y"],
		["atoll_session=1; atoll_session=2", ""],
	];
	for (const [given, seen] of table) assert.equal(withoutSession(given), seen, given);
});
