import assert from "node:assert/strict";
import { test } from "node:test";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { SteadyLoad } from "../support/steady-load.ts";

/** `.ci/run` deploys a hundred. */
const VERSIONS = Number(process.env.ATOLL_TEST_VERSIONS ?? 15);
const FUNCTION = "/v1/tenants/default/functions/busy";

const platform = await startPlatform();

async function upload(mark: string): Promise<string> {
	const form = new FormData();
	form.set("metadata", JSON.stringify({ main: "index.js" }));
	const code = `export default { fetch: () => new Response(${JSON.stringify(mark)}) };`;
	form.set("index.js", new File([code], "index.js", { type: "application/javascript+module" }));
	const response = await fetch(`http://127.0.0.1:${platform.adminPort}${FUNCTION}/versions`, {
		method: "POST",
		headers: { authorization: `Bearer ${TOKEN}` },
		body: form,
	});
	assert.equal(response.status, 200);
	return ((await response.json()) as { id: string }).id;
}

/** When a version could have been the answer: from when its release was asked for to when the next one was served. */
interface Span {
	marks: Set<string>;
	from: number;
	to: number;
}

test("versions come and go under load: no request fails, and each answer is of a version that was entitled", async () => {
	const spans: Span[] = [];
	const release = async (path: string, body: object, ...marks: string[]) => {
		const span = { marks: new Set(marks), from: performance.now(), to: Number.POSITIVE_INFINITY };
		const before = spans.at(-1);
		spans.push(span);
		const { status } = await platform.api("POST", `${FUNCTION}/${path}`, body);
		assert.equal(status, 200);
		if (before !== undefined) before.to = performance.now();
	};
	let last = await upload("v0");
	await release("releases", { shares: [{ version: last, percent: 100 }] }, "v0");
	const load = new SteadyLoad(platform.port, "busy.localhost");
	for (let i = 1; i < VERSIONS; i++) {
		const next = await upload(`v${i}`);
		if (i % 3 === 1) {
			const shares = [
				{ version: last, percent: 70 },
				{ version: next, percent: 30 },
			];
			await release("releases", { shares }, `v${i - 1}`, `v${i}`);
		}
		await release("releases", { shares: [{ version: next, percent: 100 }] }, `v${i}`);
		if (i % 4 === 0) {
			await release("rollback", { version: last }, `v${i - 1}`);
			await release("releases", { shares: [{ version: next, percent: 100 }] }, `v${i}`);
		}
		last = next;
	}
	await load.more(50);
	await load.end();
	const wrong = load.samples.filter(({ answer, from, to }) => {
		const mark = answer.replace(/^200 /, "");
		return !spans.some((span) => span.marks.has(mark) && span.from <= to && span.to >= from);
	});
	assert.deepEqual(wrong, []);
	assert.ok(load.samples.length > VERSIONS);
	// The last to begin: one that began before it may have its answer later.
	const latest = load.samples.reduce((one, other) => (other.from > one.from ? other : one));
	assert.equal(latest.answer, `200 v${VERSIONS - 1}`);
});
