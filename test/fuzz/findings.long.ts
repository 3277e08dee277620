import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Arena } from "../../fuzz/arena.ts";
import { described, leavesMarks } from "../../fuzz/complaint.ts";
import { FINDINGS, readFinding } from "../../fuzz/finding.ts";
import { targetOf } from "../../fuzz/targets/index.ts";

/** It is waited for on any machine, however slow. */
const PATIENCE = 8;

let arena: Arena;

before(async () => {
	arena = await Arena.start(PATIENCE);
});
after(() => arena.close());

for (const file of readdirSync(FINDINGS)) {
	const { target, title, open, case: input } = readFinding(join(FINDINGS, file));
	test(`nobody notices ${title}`, { skip: open ?? false }, async () => {
		const complaints = await targetOf(target).attempt(arena, input);
		if (complaints.some(leavesMarks)) await arena.renew();
		assert.deepEqual(complaints.map(described), []);
	});
}
