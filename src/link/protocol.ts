import type { Bytes, Megabytes, Microseconds, Milliseconds } from "../units.ts";
import type { Kind } from "./messages.ts";
import type { MessageData, Outgoing } from "./outgoing.ts";

/** Names one attempt on one sandbox; chosen by the edge, never reused within a sandbox. */
export type AttemptId = number;
/** Stands for a version on the link; chosen by the edge. */
export type VersionNumber = number;
/** Stands for a tenant on the link; chosen by the edge. A function without one stands for itself. */
export type TenantNumber = number;

/** A turn is light up to so much CPU time. */
export const LIGHT_TURN_US: Microseconds = 5000;
/** So is the start of an isolate. */
export const LIGHT_START_US: Microseconds = 10_000;
/** A start ahead of any request may take so long: whoever keeps the spare from taking over keeps everybody. */
export const PRELOAD_START_MS: Milliseconds = 100;
/** In the normal lane a turn is cut at so much. */
export const NORMAL_TURN_MS: Milliseconds = 10;
/**
 * So is that of a function which is not light in a sandbox that is lent to it, by a clock which goes on while the thread
 * waits for a core. By its own it may take far less: this is what it has where more sandboxes compute than there are
 * cores.
 */
export const LENT_TURN_MS: Milliseconds = 60;

/** What a sandbox needs to know before its first request. */
export interface SandboxSettings {
	/** The base snapshot, from which isolates are parked. */
	snapshot: Uint8Array;
	/** How many isolates stay warm at most. */
	maxIsolates: number;
	/** How much memory the warm isolates may use together. */
	maxBytes: Bytes;
	/** How large the sandbox's process may grow before it is killed. */
	maxProcessBytes: Bytes;
	/** How much of what it is sent it may leave unread before it is killed. */
	maxUnreadBytes: Bytes;
	/** How many isolates are created ahead of need, and with which memory limit at first. */
	parked: number;
	memoryMb: Megabytes;
	/** Whether the time stands still during a turn. */
	frozenClocks: boolean;
	/** It is there for the CPU profile of one version, of which a sample is taken so often. */
	profileEveryUs?: Microseconds;
}

/** A version as a sandbox runs it: its artifact, without what only the edge needs. */
export interface Image {
	/** Names the script in stack traces: `hello.js`. */
	filename: string;
	/** UTF-8; it stays bytes until the isolate that compiles it. */
	code: Uint8Array;
	/** The eager code cache; empty where there is none. */
	codeCache: Uint8Array;
	tenant: TenantNumber;
	/** The function's variables as JSON. */
	env: string;
	/** Its bindings as JSON, each a list of its name in `env` and its type. */
	bindings: string;
	/** Its compatibility flags, with commas between. */
	flags: string;
	memoryMb: number;
	/** How many timers one request may have pending. */
	timers: number;
	/**
	 * How much a request may log, and in a second what belongs to none. What goes beyond it never leaves the isolate.
	 */
	logBytes: Bytes;
	/** How many calls of bindings one request may make. */
	subrequests: number;
	startupCpuMs: Milliseconds;
}

/**
 * Why an attempt may have ended without an answer. `too_heavy`: a turn ran too long for where it
 * ran, and the request is to be run again in the heavy lane. `isolate_lost`: another request cost the isolate, and this one is run
 * again if it may be. `starved`: a turn was cut at its limit of CPU time, by a clock that goes on while the thread
 * waits for a core, and has had less than half of it; it is run again if it may be, and counts as beyond its limit
 * else. `forged`: the isolate has sent what the prelude never does. `crowded_out`: of a start ahead of requests alone.
 */
export const FAILURES = [
	"too_heavy",
	"isolate_lost",
	"starved",
	"cpu_limit_exceeded",
	"memory_limit_exceeded",
	"startup_failed",
	"startup_cpu_limit_exceeded",
	"forged",
	"crowded_out",
] as const;

/** Why an attempt has ended without an answer. */
export interface AttemptFailure {
	code: (typeof FAILURES)[number];
	message: string;
	/** The stack inside the function's script, or an empty string. */
	stack: string;
}

/** What an attempt used, told when it is done. */
export interface AttemptReport {
	cpuUs: Microseconds;
	/** The isolate's measured memory, as of its last measurement. */
	memoryBytes: Bytes;
	/**
	 * Whether all its turns took no more than `LIGHT_TURN_US`, or than `NORMAL_TURN_MS` where it was the isolate's
	 * first request, and the isolate's start no more than `LIGHT_START_US`.
	 */
	light: boolean;
	/** Whether this attempt started the isolate, and how long that took. */
	cold: boolean;
	startUs: Microseconds;
}

/** A sandbox as it is now. */
export interface SandboxState {
	/** Of its process; 0 as long as it does not run. */
	pid: number;
	/** Which kind of function it serves; `spare` waits to take over, and `leaving` finishes what it has. */
	lane: "normal" | "heavy" | "probation" | "spare" | "leaving";
	/** Isolates that are warm there, and their memory as V8 counts it. */
	isolates: number;
	bytes: Bytes;
	/** Versions that it serves, and attempts that run or wait there. */
	versions: number;
	attempts: number;
	/** Whether one turn keeps all others waiting at this moment. */
	stuck: boolean;
}

export interface SandboxStats {
	isolates: number;
	bytes: Bytes;
	hits: number;
	coldStarts: number;
	evictions: number;
}

/** What a sandbox needs to start an attempt. */
export interface RequestStart {
	attempt: AttemptId;
	version: VersionNumber;
	cpuMs: Milliseconds;
	/** At what its turns are to be cut as long as it has had no effect, to be run elsewhere; 0 if they are not. */
	cutMs: Milliseconds;
	/** A RequestHead as `encodeRequestHead` has it, or another head as JSON; nobody between here and the isolate parses it. */
	head: string;
	/** The body, where it is `whole`. */
	body: Uint8Array | undefined;
}

/** What has come of a profile. */
export type Profiled = { json: Uint8Array } | { problem: string };

/** What the edge tells a sandbox, over the link or directly. */
export interface SandboxCommands {
	/** A version's image is on its way, so that the sandbox need not ask for it. */
	expect(version: VersionNumber): void;
	/** Gives a version's image, in answer to `want` or after `expect`. */
	load(version: VersionNumber, image: Image): void;
	/** A version will get no more requests: its isolate goes when it is idle. */
	unload(version: VersionNumber): void;
	/** Says whether a version's isolate is to make room for no others, from now on and until it is unloaded. */
	keep(version: VersionNumber, kept: boolean): void;
	/**
	 * Starts an isolate of a version ahead of any request, as an attempt that is done when there is one. Given up where
	 * the top level runs for `startMs`; `crowded_out` where the isolate is there, but there is no room to keep it.
	 */
	preload(attempt: AttemptId, version: VersionNumber, startMs: Milliseconds): void;
	/** Ends the profile that the sandbox is there for: `profiled` is to come. */
	endProfile(): void;
	/** Starts an attempt. */
	request(start: RequestStart): void;
	/** Anything else for a running attempt: answers, chunks, credits, abort. */
	message(kind: Kind, attempt: AttemptId, op: number, text: string, data: MessageData): void;
	/**
	 * An answer (`encodeReusable`) may be given again to a version that makes the same call, up to a time of the machine's
	 * (`machineMs`), however late this is read, or until it is to be forgotten.
	 */
	reuse(version: VersionNumber, call: string, answer: string, untilMs: Milliseconds): void;
	forget(version: VersionNumber, call: string): void;
	/** Whether so much was told that the sandbox is to read it first; `resume` is called when it has, or is gone. */
	clogged(resume: () => void): boolean;
}

/** What a sandbox tells the edge. */
export interface SandboxEvents {
	/** The sandbox has no image of this version, and none is on its way. */
	want(version: VersionNumber): void;
	/**
	 * An effect, a part of a response, or a line of the log. `version` is whose isolate said it, so that the edge can
	 * check.
	 */
	message(version: VersionNumber, attempt: AttemptId, message: Outgoing): void;
	done(version: VersionNumber, attempt: AttemptId, report: AttemptReport): void;
	failed(version: VersionNumber, attempt: AttemptId, failure: AttemptFailure, report: AttemptReport): void;
	stats(stats: SandboxStats): void;
	/** The profile that was to end: `.cpuprofile` as JSON, which nobody has looked at, or why there is none. */
	profiled(profile: Profiled): void;
	/** That was all for this round. */
	flush(): void;
	/** Whether so much was said that the edge is to read it first; `resume` is called when it has. */
	clogged(resume: () => void): boolean;
}
