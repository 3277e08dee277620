import assert from "node:assert/strict";
import { test } from "node:test";
import type { Image, SandboxCommands } from "../../src/link/protocol.ts";
import { Sandbox } from "../../src/pool/sandbox.ts";

test("a sandbox is given what it has to run, and no other function's image or env, whatever it asks for", async () => {
	const asked: number[] = [];
	const loaded: number[] = [];
	const sandbox = new Sandbox(async (version) => {
		asked.push(version);
		return {} as Image;
	});
	const ignored = () => undefined;
	sandbox.commands = {
		expect: ignored,
		unload: ignored,
		preload: ignored,
		load: (version: number) => loaded.push(version),
	} as unknown as SandboxCommands;
	sandbox.want(1);
	void sandbox.preload({ number: 2, ownerNumber: 2, limits: { cpuMs: 1, startupCpuMs: 1 } });
	sandbox.want(2);
	sandbox.want(3);
	await null;
	assert.deepEqual(asked, [2, 2]);
	assert.deepEqual(loaded, [2, 2]);
	sandbox.unload(2);
	sandbox.want(2);
	assert.deepEqual(asked, [2, 2]);
});
