import type { SiteSource } from "../assets/asset-config.ts";
import type { GivenBindings } from "../bindings/binding.ts";
import type { Sticky } from "../deployments/stickiness.ts";
import type { Limits } from "../limits/limits.ts";
import type { StartResult } from "../link/build-frames.ts";
import type { FunctionId, TenantName } from "../names.ts";
import type { InvocationRecord, LogLine, RequestOrigin, SeenEvent } from "../observe/record.ts";
import type { MachineState, RuntimeStats } from "../observe/runtime-stats.ts";
import type { Tally } from "../observe/tally.ts";
import type { Source } from "../sources/source-settings.ts";
import type { Triggers } from "../triggers/trigger-settings.ts";
import type { Bytes, Seconds } from "../units.ts";

/** A version as an edge runs it. */
export interface DesiredVersion {
	id: string;
	/** The key of its artifact, which lies on disk. */
	artifact: string;
	limits: Limits;
	variables: Record<string, unknown>;
	bindings: GivenBindings;
	site: SiteSource | null;
	/** Its compatibility flags. */
	flags: string[];
	start: StartResult;
}

/** A version and its share, as `{ version: "1f…", percent: 50 }`. */
export interface DesiredShare {
	version: string;
	percent: number;
}

/** All that an edge is to know of a function. */
export interface DesiredFunction extends FunctionId {
	/** In the router's form. */
	hostnames: string[];
	/** How many isolates of each version with traffic, of two at most, are started ahead of requests. */
	provisioned: number;
	/** In how many sandboxes each may have isolates: `null` for as many as it needs, 0 for a function that is paused. */
	maxInstances: number | null;
	/** What gets its traffic. */
	shares: DesiredShare[];
	/** What keeps whoever asks with one of several versions. */
	sticky: Sticky | null;
	/** What is reached at `<name>--<hostname>`. */
	previews: Record<string, DesiredShare[]>;
	/** What calls it beside requests. */
	triggers: Triggers;
	/** Those that the others name. */
	versions: DesiredVersion[];
}

/** What is watched: a function by its key, all of a tenant's by `tenant/`, or all that there is by the empty text. */
export type Scope = string;

/** Whether a scope has all of another one in it. */
export function covers(scope: Scope, other: Scope): boolean {
	return scope === other || ((scope === "" || scope.endsWith("/")) && other.startsWith(scope));
}

/** What is told of a request to who watches its function. */
export interface SeenRequest {
	/** By their names in lower case; values that may be secrets are redacted. */
	headers: Record<string, string>;
	client: RequestOrigin["client"];
}

/** How an edge is, now. */
export interface EdgeStats extends RuntimeStats {
	/** Of its process. */
	pid: number;
	heapBytes: Bytes;
	residentBytes: Bytes;
	cpuSeconds: Seconds;
	/** How long its event loop was late, since it was told last. */
	loopDelayP50: Seconds;
	loopDelayP99: Seconds;
	loopDelayMax: Seconds;
}

/** What control tells an edge. */
export type ToEdge =
	/**
	 * What has changed: functions as they are to be now, and those that are to be no more. It comes in parts, of which
	 * none is so large that reading it keeps the edge from its work.
	 */
	| {
			kind: "desired";
			/** The commit that is served once this part is; `null` for all parts but the last one. */
			sequence: number | null;
			/** Whether the parts together name all functions that there are. */
			whole: boolean;
			functions: DesiredFunction[];
			removed: FunctionId[];
			/** Where events come from, likewise; those that are no more by their keys. */
			sources: Source[];
			removedSources: string[];
	  }
	/** What a hostname is for, if anything is, has been told. */
	| { kind: "sought"; hostname: string }
	/** The artifact of a version that was asked for is on disk again, or why it is not. */
	| { kind: "remade"; version: string; problem: string | null }
	/** A queue has messages that came by another way than this edge. */
	| { kind: "queued"; tenant: TenantName; queue: string }
	/**
	 * A CPU profile is wanted: of the version of an id, or of the one with the most traffic. `profiled` is to come, under
	 * the number, after `profilePart`s.
	 */
	| {
			kind: "profile";
			number: number;
			function: FunctionId;
			version: string | null;
			seconds: Seconds;
			requests: number;
	  }
	/** It is wanted no more. */
	| { kind: "unprofile"; number: number }
	/** Of what records and lines are wanted, by scopes, and of which functions requests' origins as well, by their keys. */
	| { kind: "watch"; scopes: Scope[]; origins: string[] };

/** What an edge tells control. */
export type ToControl =
	/** It begins to follow, from what it has heard. */
	| { kind: "follow"; since: number }
	/** It will serve what it has, and hear of no more. */
	| { kind: "leave" }
	/** A request has come for a hostname before all that there is was told. */
	| { kind: "seek"; hostname: string }
	/** It serves what was desired at a commit. */
	| { kind: "serving"; sequence: number }
	/** The artifact of a version is not whole on disk. */
	| { kind: "remake"; function: FunctionId; version: string }
	/** What functions that are watched have done. */
	| { kind: "record"; record: InvocationRecord; request: SeenRequest | null; event: SeenEvent | null }
	| { kind: "line"; line: LogLine }
	/** So many invocations of what is watched were too many to be told within the last second. */
	| { kind: "leftOut"; scope: Scope; count: number }
	/** Spans that are over, as a JSON array that control hands on unread, and how many were dropped. */
	| { kind: "spans"; batch: string; count: number; dropped: number }
	/** Some of a profile's bytes, in base64, and that this was all of it, or why there is none. */
	| { kind: "profilePart"; number: number; bytes: string }
	| { kind: "profiled"; number: number; problem: string | null }
	/** What all functions have done since it was told last. */
	| { kind: "measured"; tallies: Tally[]; stats: EdgeStats; machine: MachineState };
