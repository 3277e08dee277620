import assert from "node:assert/strict";
import { kill } from "node:process";
import { test } from "node:test";
import type { Calls } from "../../src/bindings/calls.ts";
import { Kind } from "../../src/link/messages.ts";
import type { Image, SandboxCommands } from "../../src/link/protocol.ts";
import type { AttemptListener } from "../../src/pool/attempt.ts";
import type { RunnableVersion } from "../../src/pool/runnable-version.ts";
import { Sandbox } from "../../src/pool/sandbox.ts";
import { SandboxProcess } from "../../src/pool/sandbox-process.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { CALM, sandboxSettings } from "../support/sandbox.ts";

test("a sandbox is given what it has to run, and no other function's image or env, whatever it asks for", async () => {
	const asked: number[] = [];
	const loaded: number[] = [];
	const sandbox = new Sandbox();
	const two: RunnableVersion = {
		...{ number: 2, tenantNumber: 2, limits: { cpuMs: 1, startupCpuMs: 1 }, withdrawn: false, ...CALM },
		async image() {
			asked.push(this.number);
			return {} as Image;
		},
	};
	const ignored = () => undefined;
	sandbox.commands = {
		expect: ignored,
		unload: ignored,
		preload: ignored,
		load: (version: number) => loaded.push(version),
	} as unknown as SandboxCommands;
	sandbox.want(1);
	void sandbox.preload(two);
	sandbox.want(2);
	sandbox.want(3);
	await null;
	assert.deepEqual([asked, loaded], [[2], [2]], "one that is on its way is not sent twice");
	sandbox.want(2);
	await null;
	assert.deepEqual(
		[asked, loaded],
		[
			[2, 2],
			[2, 2],
		],
	);
	sandbox.done(2, 1, { cpuUs: 0, memoryBytes: 0, light: true, cold: true, startUs: 0 });
	sandbox.leave(2);
	sandbox.want(2);
	assert.deepEqual(asked, [2, 2]);
});

test("what a version that is served elsewhere has in a sandbox goes with its last attempt there", () => {
	const unloaded: number[] = [];
	const sandbox = new Sandbox();
	const ignored = () => undefined;
	const unload = (version: number) => unloaded.push(version);
	sandbox.commands = { expect: ignored, preload: ignored, load: ignored, unload } as unknown as SandboxCommands;
	const report = { cpuUs: 0, memoryBytes: 0, light: true, cold: false, startUs: 0 };
	const version = (number: number): RunnableVersion => ({
		...{ number, tenantNumber: 1, limits: { cpuMs: 1, startupCpuMs: 1 }, withdrawn: false, ...CALM },
		image: () => new Promise(() => undefined),
	});
	const attempt = (number: number) => {
		const listener = { version: version(number), onDone: ignored } as unknown as AttemptListener;
		return sandbox.attempt(listener, { close: ignored } as unknown as Calls).id;
	};
	const first = attempt(1);
	const second = attempt(1);
	sandbox.leave(1);
	sandbox.leave(2); // It has nothing of that one.
	sandbox.done(1, first, report);
	assert.deepEqual(unloaded, []);
	sandbox.done(1, second, report);
	assert.deepEqual(unloaded, [1]);
	sandbox.done(1, attempt(1), report);
	assert.deepEqual(unloaded, [1], "it has come back");
	sandbox.leave(1);
	assert.deepEqual(unloaded, [1, 1]);
	const third = attempt(1);
	sandbox.leave(1);
	const fourth = attempt(1);
	sandbox.done(1, third, report);
	sandbox.done(1, fourth, report);
	assert.deepEqual(unloaded, [1, 1], "it came back before its last attempt was over");
});

test("a version that is withdrawn with attempts in flight is sent again for those, if its isolate was lost", async () => {
	const loaded: number[] = [];
	const unloaded: number[] = [];
	const failed: string[] = [];
	const sandbox = new Sandbox();
	const ignored = () => undefined;
	sandbox.commands = {
		...{ expect: ignored, request: ignored },
		load: (version: number) => loaded.push(version),
		unload: (version: number) => unloaded.push(version),
	} as unknown as SandboxCommands;
	const report = { cpuUs: 0, memoryBytes: 0, light: true, cold: false, startUs: 0 };
	const version = {
		...{ number: 1, tenantNumber: 1, limits: { cpuMs: 1, startupCpuMs: 1 }, withdrawn: false, ...CALM },
		image: async () => ({}) as Image,
	};
	const listener = {
		...{ version, onDone: ignored },
		onFailed: ({ message }: { message: string }) => failed.push(message),
	} as unknown as AttemptListener;
	const [first, second] = [1, 2].map(() => sandbox.attempt(listener, { close: ignored } as unknown as Calls).id);
	version.withdrawn = true;
	sandbox.leave(1);
	sandbox.done(1, first, report);
	await null;
	sandbox.want(1);
	await null;
	assert.deepEqual([loaded, unloaded, failed], [[1, 1], [], []]);
	sandbox.done(1, second, report);
	assert.deepEqual(unloaded, [1]);
});

test("a process that leaves unread what it is sent is ended before that fills the edge", async () => {
	const settings = { ...(await sandboxSettings()), maxUnreadBytes: 4 * 2 ** 20 };
	const launcher = new Launcher();
	const code = Buffer.from("globalThis.__atoll_exports({ default: { fetch: () => new Response() } });");
	const image = {
		filename: "f.js",
		code,
		codeCache: Buffer.alloc(0),
		tenant: 1,
		env: "{}",
		bindings: "[]",
		flags: "",
		memoryMb: 64,
	};
	const lost = Promise.withResolvers<string>();
	const process = new SandboxProcess(launcher, settings, {
		onLost: (_, why) => lost.resolve(why),
		onLongTurn: () => undefined,
	});
	try {
		await process.ready;
		kill(process.pid, "SIGSTOP");
		const preloading = process.sandbox.preload({
			number: 1,
			tenantNumber: 1,
			limits: { cpuMs: 1000, startupCpuMs: 1000 },
			...{ withdrawn: false, ...CALM },
			image: async () => ({ ...image, timers: 10, logBytes: 1000, subrequests: 10, startupCpuMs: 1000 }),
		});
		for (let i = 0; i < 8; i++) process.sandbox.commands.message(Kind.body, 1, 1, "", Buffer.alloc(2 ** 20));
		assert.match(await lost.promise, /it left \d+ MB unread/);
		await preloading;
	} finally {
		await process.close();
		await launcher.close();
	}
});
