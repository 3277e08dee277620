import assert from "node:assert/strict";
import { test } from "node:test";
import { Placement } from "../../src/invocation/placement.ts";

test("a version is placed by its strikes, then by whether it was cut, then by its pace, in the cordon of all", () => {
	for (const tenant of ["default", "acme"]) {
		const laneOf = (lane: "normal" | "heavy", struck: boolean, cut: boolean) => {
			const place = Placement.of({ function: { tenant, name: "f" }, pace: { lane }, struck }, cut);
			assert.equal(place.cordon, "shared");
			return place.lane;
		};
		assert.equal(laneOf("normal", false, false), "normal");
		assert.equal(laneOf("normal", false, true), "heavy");
		assert.equal(laneOf("heavy", false, false), "heavy");
		assert.equal(laneOf("heavy", false, true), "heavy");
		for (const cut of [false, true])
			for (const pace of ["normal", "heavy"] as const) assert.equal(laneOf(pace, true, cut), "probation");
	}
});
