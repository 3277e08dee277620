import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Platform, TOKEN } from "../support/platform.ts";
import { below } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const TENANTS = Array.from({ length: 12 }, (_, i) => `tenant-${i}`);

const namespacesOf = (tenant: string) => `/client/v4/accounts/${tenant}/storage/kv/namespaces`;

/** A platform whose functions' data are kept by so many processes. */
async function up(platform: Platform, dataProcesses: number): Promise<void> {
	const file = await platform.line.write(`config-${dataProcesses}`, {
		"server.jsonc": JSON.stringify({ dataProcesses }),
	});
	await platform.up("--config", join(file, "server.jsonc"));
}

/** Asks for the value of a namespace that each tenant has. */
async function values(platform: Platform, ids: string[], method: "PUT" | "GET"): Promise<string[]> {
	return Promise.all(
		TENANTS.map(async (tenant, i) => {
			const path = `${namespacesOf(tenant)}/${ids[i]}/values/key`;
			const headers = { authorization: `Bearer ${TOKEN}` };
			const init = { method, headers, ...(method === "PUT" && { body: tenant }) };
			const response = await fetch(`http://127.0.0.1:${platform.adminPort}${path}`, init);
			assert.equal(response.status, 200, await response.clone().text());
			return response.text();
		}),
	);
}

test("several data processes keep some of the tenants each, are backed up, and their number stays", async () => {
	const platform = new Platform();
	await up(platform, 3);
	const ids: string[] = [];
	for (const tenant of TENANTS) {
		const { body } = await platform.api("POST", namespacesOf(tenant), { title: "all" });
		ids.push((body as { result: { id: string } }).result.id);
	}
	await values(platform, ids, "PUT");
	assert.deepEqual(await values(platform, ids, "GET"), TENANTS);
	for (const folder of ["stores", "stores-1", "stores-2"])
		assert.ok(existsSync(join(platform.data, folder, "data.db")));
	const file = join(platform.line.folder, "all.tar");
	assert.equal((await platform.atoll("backup", file)).code, 0);
	const running = () =>
		below(platform.supervisor.child.pid as number).filter(({ command }) => /data[/-]main/.test(command));
	const [first] = running();
	process.kill(first.pid, "SIGKILL");
	await until(() => running().every(({ pid }) => pid !== first.pid));
	assert.deepEqual(await values(platform, ids, "GET"), TENANTS);
	assert.equal(await platform.stop(), 0);

	const other = new Platform();
	await mkdir(other.data, { recursive: true });
	const run = other.line.run(["restore", file, "--data", other.data]);
	assert.equal(await run.exit, 0, run.output());
	await assert.rejects(up(other, 2), /kept by 3 data processes, and not by 2/);
	await up(other, 3);
	assert.deepEqual(await values(other, ids, "GET"), TENANTS);
	assert.equal(await other.stop(), 0);
});
