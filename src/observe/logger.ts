import pino from "pino";
import pretty from "pino-pretty";
import { LogOutput } from "./log-output.ts";
import type { Logger } from "./observer.ts";
import { label } from "./printable.ts";
import type { InvocationRecord } from "./record.ts";
import { recordLine } from "./record-line.ts";

export interface CliLogger extends Logger {
	/** Writes out what is still in memory. */
	close(): Promise<void>;
}

const FIELDS =
	"pid,hostname,time,loggedAt,tenant,function,version,requestId,trigger,method,url,status,outcome,cold,startMs,cpuMs,wallMs,requestBytes,responseBytes,subrequests,memoryBytes,attempts";

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
	const output = new LogOutput((lines) => {
		logger.warn({ lines }, `${lines} lines were dropped: nobody took them from the log`);
	});
	// How often limits were exceeded is worth a line of its own only where one was.
	const readable = pretty.prettyFactory({
		colorize: true,
		ignore: FIELDS,
		messageFormat: describe,
		translateTime: false,
	});
	const destination = terminal
		? { write: (line: string) => output.write(readable(line.replace(',"exceeded":{}', ""))) }
		: output;
	// The record's own fields are called `hostname` and `time`, so pino's stay out.
	const logger = pino({ base: null, timestamp: terminal ? undefined : () => "" }, destination);
	const close = async () => {
		// What nobody takes would keep the process from its end.
		if (!(await output.close())) process.exit();
	};
	if (terminal) return Object.assign(logger, { close }) as unknown as CliLogger;
	const record = (one: InvocationRecord) => output.write(recordLine(one));
	return Object.assign(logger, { close, record }) as unknown as CliLogger;
}
