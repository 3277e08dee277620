/** atoll: a lightweight, isolate-based edge function runtime. */
import type { RuntimeOptions } from "./config/runtime.ts";
import { Runtime } from "./runtime.ts";

/**
 * Starts a runtime: its sandboxes are up when the promise resolves.
 *
 * Throws UsageError for options that make no sense.
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
	return Runtime.create(options);
}

export type { EgressPolicy } from "./bindings/fetch/edge/addresses.ts";
export { BuildError, type Problem } from "./build/problem.ts";
export type { AssetsOptions, DeployOptions } from "./config/deployment.ts";
export type { FetchOptions } from "./config/fetch.ts";
export type { FunctionTarget } from "./config/function-target.ts";
export type { MountOptions } from "./config/mount.ts";
export type { CacheOptions, CloseOptions, RuntimeOptions } from "./config/runtime.ts";
export type { Deployed } from "./deployments/deployer.ts";
export { type ErrorCode, UsageError, type UsageErrorCode } from "./errors.ts";
export type { CloudEvent, CloudEventResult } from "./invocation/events/event.ts";
export type { QueueEvent, QueueMessage, QueueResult } from "./invocation/events/queue.ts";
export type { ScheduledEvent, ScheduledResult } from "./invocation/events/scheduled.ts";
export type { StorageChange, StorageEvent } from "./invocation/events/storage.ts";
export type { Limits, TenantLimits } from "./limits/limits.ts";
export type { Logger } from "./observe/observer.ts";
export type { InvocationRecord, LogLine, Outcome, Subscriber, Trigger } from "./observe/record.ts";
export type { RuntimeStats } from "./observe/runtime-stats.ts";
export type { Containment } from "./processes/containment.ts";
export type { DeployedFunction, Dispatched, Runtime } from "./runtime.ts";
export type { NodeHandler, UpgradeHandler } from "./server/listeners.ts";
export type { Next } from "./server/node-handler.ts";
