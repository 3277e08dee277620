import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntime, UsageError } from "../../src/index.ts";
import { ControlGroups } from "../../src/processes/control-groups.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { lendSnapshot } from "../support/snapshot.ts";
import { until } from "../support/until.ts";

const folder = temporaryFolder();

/** A folder with the files that the kernel would have in a group: no machine of the tests has one to give away. */
function made(name: string, controllers: string): string {
	const path = join(folder, name);
	mkdirSync(path);
	writeFileSync(join(path, "cgroup.controllers"), `${controllers}\n`);
	return path;
}

test("each sandbox is in a group of its own, which bounds it", async () => {
	const cgroup = made("given", "cpuset cpu io memory pids");
	const data = join(folder, "data");
	lendSnapshot(data);
	const runtime = await createRuntime({ data, cgroup, cache: { maxBytes: 2 ** 20 } });
	try {
		assert.equal(runtime.containment?.cgroup, true);
		assert.equal(readFileSync(join(cgroup, "cgroup.subtree_control"), "utf8"), "+cpu +memory +pids");
		// One that has proven light divides the lanes, of which the heavy one is the spare.
		await until(() => runtime.sandboxPids().length === 2);
		const entry = join(folder, "light.js");
		writeFileSync(entry, "export default { fetch: () => new Response('light') }");
		await runtime.deploy({ name: "light", hostnames: ["light.test"], entry, root: folder });
		await until(async () => {
			assert.equal((await runtime.fetch("http://light.test/")).status, 200);
			return runtime.stats().sandboxes === 2;
		});
		const groups = readdirSync(cgroup).filter((name) => name.startsWith("atoll-"));
		const read = (group: string, file: string) => readFileSync(join(cgroup, group, file), "utf8");
		const pids = groups.map((group) => Number(read(group, "cgroup.procs")));
		for (const pid of runtime.sandboxPids()) assert.ok(pids.includes(pid), `${pid} is in one of ${groups}`);
		for (const group of groups) {
			assert.equal(Number(read(group, "memory.max")), 2 ** 30 + 256 * 2 ** 20);
			assert.equal(read(group, "pids.max"), "128");
		}
		const weights = groups.map((group) => read(group, "cpu.weight"));
		assert.ok(weights.includes("11"), "the heavy lane has the processor when nobody else wants it");
		assert.ok(weights.includes("64"));
	} finally {
		await runtime.close();
	}
});

test("a folder that is no group, or lacks what is needed, is refused with why", async () => {
	await assert.rejects(createRuntime({ data: join(folder, "data"), cgroup: folder }), /is no control group/);
	assert.throws(() => new ControlGroups(made("poor", "cpu io")), /lacks controllers: memory, pids/);
	assert.throws(() => new ControlGroups(made("none", "")), UsageError);
});

const REAL = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(join(path, "cgroup.controllers")));
const skip = REAL === undefined ? "there is no cgroup v2 here" : false;
test("the kernel's own groups are looked at alike", { skip }, () => {
	const offered = readFileSync(join(REAL as string, "cgroup.controllers"), "utf8").trim();
	if (offered === "") assert.throws(() => new ControlGroups(REAL as string), /lacks controllers: cpu, memory, pids/);
});
