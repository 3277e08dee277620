/** Which kind of trigger an event is: https://opentelemetry.io/docs/specs/semconv/faas/faas-spans/ */
const TRIGGERS: Readonly<Record<string, string>> = { http: "http", scheduled: "timer", queue: "pubsub" };

/** The trigger of an event by its type, as metrics and spans have it. */
export const faasTrigger = (event: string): string => TRIGGERS[event] ?? "other";

/** Whether an outcome is a failure of the function or of the server. */
export const isFailure = (outcome: string): boolean => outcome !== "ok" && outcome !== "client_gone";

const TIMEOUTS = new Set(["cpu_limit_exceeded", "startup_cpu_limit_exceeded", "wall_time_exceeded"]);

/** Whether an invocation was ended for its time. */
export const isTimeout = (outcome: string): boolean => TIMEOUTS.has(outcome);
