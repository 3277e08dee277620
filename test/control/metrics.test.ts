import assert from "node:assert/strict";
import { test } from "node:test";
import { Metrics } from "../../src/control/observe/metrics.ts";
import type { EdgeStats } from "../../src/feed/messages.ts";
import { newRecord } from "../../src/observe/record.ts";
import { Tallies } from "../../src/observe/tally.ts";

test("a function has one series whatever its versions are, and none when it is no more", async () => {
	const tallies = new Tallies(100);
	for (const name of ["kept", "removed"])
		for (const version of ["v1", "v2"])
			tallies.count({ ...newRecord("1", "http", "http"), tenant: "default", function: name, version });
	tallies.count({ ...newRecord("1", "http", "http"), outcome: "hostname_not_found" });
	const metrics = new Metrics();
	metrics.add({}, tallies.take(), { pid: 1 } as EdgeStats);
	const series = async (name: string) =>
		(await metrics.text()).match(new RegExp(`faas_invocations_total\\{.*faas_name="${name}".*\\} \\d+`, "g")) ?? [];
	for (const name of ["kept", "removed"]) assert.match((await series(name)).join(), /^[^,]+,[^,]+,[^,]+,[^,]+\} 2$/);
	metrics.retain((key) => key === "default/kept");
	assert.equal((await series("removed")).length, 0);
	assert.equal((await series("kept")).length, 1);
	assert.equal((await series("")).length, 1);
});
