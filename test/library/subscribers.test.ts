import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { createRuntime, type Subscriber } from "../../src/index.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

const folder = temporaryFolder();
const SOURCE = `export default { fetch: () => { console.log("said"); return new Response("answered"); } }`;

/** Subscribers that fail in every way there is. */
const FAILING: Subscriber[] = [
	{
		record: () => {
			throw new Error("of a record");
		},
		log: () => {
			throw new Error("of a line");
		},
	},
	{
		record: async () => {
			throw new Error("later");
		},
	},
	{
		record: () => {
			throw null;
		},
	},
];

test("subscribers that fail are told of in the log, and end nothing", async () => {
	const faults: string[] = [];
	const quiet = () => undefined;
	const error = (fields: object) => void faults.push(String((fields as { fault: string }).fault).split("\n")[0]);
	const logger = { debug: quiet, info: quiet, warn: quiet, error };
	await using runtime = await createRuntime({ isolation: "inline", data: `${folder}/data`, logger });
	const entry = `${folder}/guest.js`;
	await writeFile(entry, SOURCE);
	await runtime.deploy({ name: "guest", hostnames: ["guest.test"], entry });
	const heard: unknown[] = [];
	for (const subscriber of [...FAILING, { record: (record: unknown) => void heard.push(record) }])
		runtime.subscribe(subscriber);
	assert.equal(await (await runtime.fetch("http://guest.test/")).text(), "answered");
	await until(() => faults.length === 4);
	assert.deepEqual(faults.sort(), ["Error: later", "Error: of a line", "Error: of a record", "null"]);
	assert.equal(heard.length, 1);
	assert.equal(runtime.stats().inFlight, 0);
	for (const none of [null, { record: 1 }])
		assert.throws(() => runtime.subscribe(none as never), { code: "invalid_option" });
});

test("where there is no log, Node's warnings tell of them", async () => {
	await using runtime = await createRuntime({ isolation: "inline", data: `${folder}/data` });
	const warned = once(process, "warning");
	runtime.subscribe(FAILING[0]);
	await runtime.fetch("http://nobody.test/");
	const [warning] = (await warned) as [Error];
	assert.equal(warning.name, "AtollWarning");
	assert.match(warning.message, /a subscriber of atoll threw: Error: of a record/);
});
