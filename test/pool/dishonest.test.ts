import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { EventWriter } from "../../src/link/events.ts";
import { FrameWriter } from "../../src/link/frame-writer.ts";
import { encodeResponseHead } from "../../src/link/heads.ts";
import { Kind, STREAM_CHUNK, STREAM_WINDOW } from "../../src/link/messages.ts";
import type { Outgoing } from "../../src/link/outgoing.ts";
import type { Image, SandboxSettings, VersionNumber } from "../../src/link/protocol.ts";
import type { AttemptListener } from "../../src/pool/attempt.ts";
import { SandboxProcess } from "../../src/pool/sandbox-process.ts";
import { type LaunchEvents, LaunchedProcess, type Launcher } from "../../src/processes/launcher.ts";
import { noCalls } from "../support/calls.ts";
import { temporaryFolder } from "../support/runtime.ts";
import { CALM } from "../support/sandbox.ts";
import { until } from "../support/until.ts";

const SETTINGS: SandboxSettings = {
	...{ snapshot: new Uint8Array(0), maxIsolates: 1, maxBytes: 1e9, maxProcessBytes: 1e12, parked: 0, memoryMb: 64 },
	maxUnreadBytes: 1e9,
	frozenClocks: true,
};
const IMAGE: Image = {
	...{
		filename: "f.js",
		code: new Uint8Array(0),
		codeCache: new Uint8Array(0),
		tenant: 0,
		env: "{}",
		bindings: "[]",
		flags: "",
	},
	...{ memoryMb: 64, timers: 1, logBytes: 1, subrequests: 10, startupCpuMs: 1000 },
};
const STREAMED = encodeResponseHead(200, "stream", 0, "", []);

/**
 * A sandbox whose process is this test: it says on the link what it likes. Attempts are at versions 1 and 2; `told`
 * is what becomes of them.
 */
async function dishonest() {
	const path = join(temporaryFolder(), "link");
	const { promise: accepted, resolve } = Promise.withResolvers<Socket>();
	const server = createServer(resolve).listen(path);
	after(() => server.close());
	let launched!: LaunchedProcess;
	const launcher = {
		launch(_: unknown, events: LaunchEvents) {
			launched = new LaunchedProcess(events, () => launched.end("killed"));
			return launched;
		},
	} as unknown as Launcher;
	const told: string[] = [];
	const why: string[] = [];
	const process = new SandboxProcess(launcher, SETTINGS, {
		onLost: (_, reason) => why.push(reason),
		onLongTurn: () => undefined,
	});
	process.sandbox.onCulprit = (version) => told.push(`version ${version} is to blame`);
	const edge = connect(path);
	const link = await accepted;
	link.resume();
	after(() => link.destroy());
	launched.launched(globalThis.process.pid, edge);
	const events = new EventWriter(new FrameWriter(link));
	const attempt = (version: VersionNumber) => {
		const limits = { cpuMs: 1000, startupCpuMs: 1000 };
		const listener = {
			version: { number: version, tenantNumber: version, limits, withdrawn: false, ...CALM, image: async () => IMAGE },
			onCulprit: () => told.push(`an attempt at ${version} is to blame`),
			onLost: (running: boolean) => told.push(`${version} lost${running ? ", not to run again" : ""}`),
			event: { hear: ({ kind }: Outgoing) => kind === Kind.response && told.push(`${version} responds`) },
			onDone: () => told.push(`${version} done`),
		} as unknown as AttemptListener;
		return process.sandbox.attempt(listener, noCalls());
	};
	const lost = () => until(() => why.length > 0);
	return { process, events, link, attempt, told, why, lost };
}

const SENSELESS = { kind: Kind.log, op: 0, text: "", data: undefined };

test("a frame that makes no sense ends the sandbox, and is laid to the version that it names alone", async () => {
	const { events, attempt, told, why, lost } = await dishonest();
	attempt(1);
	const { id } = attempt(2);
	events.message(2, id, SENSELESS);
	await lost();
	assert.deepEqual(told, ["1 lost", "an attempt at 2 is to blame", "2 lost, not to run again"]);
	assert.match(why[0], /protocol/);
});

test("one that names another's attempt is laid to an attempt of its own version, or to the version", async () => {
	const { events, attempt, told, lost } = await dishonest();
	const { id } = attempt(1);
	attempt(2);
	events.message(2, id, SENSELESS);
	await lost();
	assert.deepEqual(told, ["1 lost", "an attempt at 2 is to blame", "2 lost, not to run again"]);

	const other = await dishonest();
	other.attempt(1);
	const ended = other.attempt(2);
	other.events.done(2, ended.id, { light: true, cold: false, cpuUs: 0, startUs: 0, memoryBytes: 0 });
	other.events.message(2, ended.id, SENSELESS);
	await other.lost();
	assert.deepEqual(other.told, ["2 done", "version 2 is to blame", "1 lost"]);
});

test("one that names no version that runs there is laid to whose turn runs, here nobody's", async () => {
	const { events, attempt, told, lost } = await dishonest();
	attempt(1);
	events.message(77, 1, SENSELESS);
	await lost();
	assert.deepEqual(told, ["1 lost"]);

	const other = await dishonest();
	other.attempt(1);
	other.link.write(Buffer.alloc(64, 0xff));
	await other.lost();
	assert.deepEqual(other.told, ["1 lost"]);
});

test("what names one version's attempt in another's name is not heard", async () => {
	const { process, events, attempt, told } = await dishonest();
	const { id } = attempt(1);
	attempt(2);
	events.message(2, id, { kind: Kind.response, op: 0, text: STREAMED, data: undefined });
	events.done(2, id, { light: true, cold: false, cpuUs: 0, startUs: 0, memoryBytes: 0 });
	events.message(1, id, { kind: Kind.response, op: 0, text: STREAMED, data: undefined });
	await until(() => told.length > 0);
	assert.deepEqual(told, ["1 responds"]);
	assert.equal(process.sandbox.load, 2);
	await process.close();
});

test("more of a body than was asked for ends the sandbox, which should have held it", async () => {
	const { process, events, attempt, told, lost } = await dishonest();
	attempt(1);
	const streaming = attempt(2);
	const { id } = streaming;
	const piece = { kind: Kind.body, op: 0, text: "", data: new Uint8Array(STREAM_CHUNK) };
	events.message(2, id, { kind: Kind.response, op: 0, text: STREAMED, data: undefined });
	for (let sent = 0; sent < STREAM_WINDOW; sent += STREAM_CHUNK) events.message(2, id, piece);
	await until(() => told.length > 0);
	streaming.credit(STREAM_CHUNK);
	events.message(2, id, piece);
	assert.equal(process.ended, false);
	events.message(2, id, piece);
	await lost();
	assert.deepEqual(told, ["2 responds", "1 lost", "an attempt at 2 is to blame", "2 lost, not to run again"]);
});

test("pieces of a body that was never begun end it too", async () => {
	const { events, attempt, told, lost } = await dishonest();
	const { id } = attempt(1);
	events.message(1, id, { kind: Kind.body, op: 3, text: "", data: new Uint8Array(1) });
	await lost();
	assert.deepEqual(told, ["an attempt at 1 is to blame", "1 lost, not to run again"]);
});
