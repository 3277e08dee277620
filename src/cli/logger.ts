import pino, { type DestinationStream } from "pino";
import pretty from "pino-pretty";
import type { Logger } from "../observe/observer.ts";
import { label } from "./collect.ts";

export interface CliLogger extends Logger {
	/** Writes out what is still in memory. */
	close(): Promise<void>;
}

const FIELDS =
	"pid,hostname,time,loggedAt,tenant,function,version,requestId,trigger,method,status,outcome,cold,startMs,cpuMs,wallMs,requestBytes,responseBytes,subrequests,memoryBytes,attempts";

/** A line about a request, for a person's eyes. */
function describe(log: Record<string, unknown>, messageKey: string): string {
	const message = String(log[messageKey]);
	if (log.function === undefined) return message;
	const name = log.function === "" ? "-" : label({ tenant: log.tenant as string, name: log.function as string });
	if (message !== "request" || log.outcome === undefined) return `[${name}] ${message}`;
	const cold = log.cold ? `, cold ${(log.startMs as number).toFixed(1)} ms` : "";
	const outcome = log.outcome === "ok" ? "" : ` ${log.outcome as string}`;
	return `[${name}] ${log.method as string} ${log.status as number}${outcome} in ${(log.wallMs as number).toFixed(1)} ms (CPU ${(log.cpuMs as number).toFixed(1)} ms${cold})`;
}

/** pino: for people on a terminal, as JSON lines everywhere else. */
export function createLogger(): CliLogger {
	const terminal = process.stdout.isTTY === true;
	const destination = terminal
		? pretty({ colorize: true, ignore: FIELDS, messageFormat: describe, sync: true, translateTime: false })
		: pino.destination({ dest: 1, sync: false, minLength: 4096 });
	// The record's own fields are called `hostname` and `time`, so pino's stay out.
	const logger = pino({ base: null, timestamp: terminal ? undefined : () => "" }, destination as DestinationStream);
	if (terminal) return Object.assign(logger, { close: async () => undefined }) as unknown as CliLogger;
	// Lines leave in blocks, since a write for each would cost more than many a request; none waits longer than this.
	const timer = setInterval(() => logger.flush(), 200).unref();
	const close = () => {
		clearInterval(timer);
		return new Promise<void>((resolve) => logger.flush(() => resolve()));
	};
	return Object.assign(logger, { close }) as unknown as CliLogger;
}
