import assert from "node:assert/strict";
import { after } from "node:test";
import { IsolateHost } from "../../src/isolates/host.ts";
import type { RequestHead } from "../../src/link/messages.ts";
import type { Image, SandboxEvents } from "../../src/link/protocol.ts";
import { encodeRequestHead } from "../../src/link/request-head.ts";
import { collectAtExit } from "../../src/pool/inline-pool.ts";
import { sandboxSettings } from "./sandbox.ts";

/** A request's head as the edge sends it on. */
export const REQUEST: RequestHead = {
	method: "GET",
	url: "http://a.test/users/42",
	headers: ["host", "a.test", "accept", "*/*", "user-agent", "curl/8"],
	body: "none",
	client: null,
};

/** Of a function that answers with "a". */
export const IMAGE: Image = {
	filename: "a.js",
	code: Buffer.from(`__atoll_exports({ default: { fetch: () => new Response("a") } });`),
	codeCache: new Uint8Array(0),
	tenant: 1,
	env: "{}",
	bindings: "[]",
	flags: "",
	memoryMb: 128,
	timers: 10,
	logBytes: 1000,
	subrequests: 10,
	startupCpuMs: 10_000,
};

interface HostOptions {
	image?: Image;
	/** What an attempt may use. */
	cpuMs?: number;
	/** Default: the usual base snapshot. */
	snapshot?: Uint8Array;
	/** Default: 10. */
	maxIsolates?: number;
	/** Default: far more than any test needs. */
	maxBytes?: number;
	/** Default: 1. */
	parked?: number;
	/** Default: none. */
	profileEveryUs?: number;
}

/** A host of one function, version 1, and what starts an attempt at it. */
export async function hostOf(events: Partial<SandboxEvents>, options: HostOptions = {}) {
	const { image = IMAGE, cpuMs = 10_000, ...settings } = options;
	const host: IsolateHost = new IsolateHost(
		{ ...(await sandboxSettings()), ...settings },
		{
			want: (version) => host.load(version, image),
			message: () => undefined,
			done: () => undefined,
			failed: (_version, _attempt, { message }) => assert.fail(message),
			stats: () => undefined,
			profiled: () => undefined,
			flush: () => undefined,
			clogged: () => false,
			...events,
		},
	);
	collectAtExit();
	after(() => host.close());
	host.load(1, image);
	const start = (attempt: number, head: RequestHead = REQUEST) =>
		host.request({ attempt, version: 1, cpuMs, cutMs: 0, head: encodeRequestHead(head), body: undefined });
	return { host, start };
}
