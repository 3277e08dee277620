import { createRequire } from "node:module";
import pino from "pino";
import { LogOutput } from "./log-output.ts";
import type { Logger } from "./observer.ts";
import { label } from "./printable.ts";
import type { InvocationRecord, LogLine } from "./record.ts";
import { functionLine, recordLine } from "./record-line.ts";

export interface CliLogger extends Logger {
	/** Writes out what is still in memory. */
	close(): Promise<void>;
}

const FIELDS =
	"pid,hostname,time,loggedAt,tenant,function,version,requestId,event,trigger,method,url,status,outcome,cold,startMs,cpuMs,wallMs,requestBytes,responseBytes,subrequests,memoryBytes,attempts";

/** What a line of the log says to a person at a terminal. */
export function describe(log: Record<string, unknown>, messageKey: string): string {
	const message = String(log[messageKey]);
	if (log.function === undefined) return message;
	const name = log.function === "" ? "-" : label({ tenant: log.tenant as string, name: log.function as string });
	if (message !== "request" || log.outcome === undefined) return `[${name}] ${message}`;
	const cold = log.cold ? `, cold ${(log.startMs as number).toFixed(1)} ms` : "";
	const outcome = log.outcome === "ok" ? "" : ` ${log.outcome as string}`;
	return `[${name}] ${eventOf(log)}${outcome} in ${(log.wallMs as number).toFixed(1)} ms (CPU ${(log.cpuMs as number).toFixed(1)} ms${cold})`;
}

/** Longer paths and queries than this are cut: whoever has the request's id finds all of it in the JSON. */
const MOST_OF_PATH = 100;

/** What was asked and answered, as `GET /path?query 200`; of what is no request, what it is. */
function eventOf({ event, method, url, status }: Record<string, unknown>): string {
	if (event === "rpc") return `rpc ${method as string}`;
	if (event !== "http") return event as string;
	const path = (url as string).replace(/^[a-z]+:\/\/[^/]*/, "");
	const shown = path.length > MOST_OF_PATH ? `${path.slice(0, MOST_OF_PATH)}…` : path;
	return `${method as string} ${shown} ${status as number}`;
}

/** pino: for people on a terminal, as JSON lines everywhere else. */
export function createLogger(): CliLogger {
	const terminal = process.stdout.isTTY === true;
	const output = new LogOutput((lines) => {
		logger.warn({ lines }, `${lines} lines were dropped: nobody took them from the log`);
	});
	const destination = terminal ? readable(output) : output;
	// The record's own fields are called `hostname` and `time`, so pino's stay out.
	const logger = pino({ base: null, timestamp: terminal ? undefined : () => "" }, destination);
	const close = async () => {
		// What nobody takes would keep the process from its end.
		if (!(await output.close())) process.exit();
	};
	if (terminal) return Object.assign(logger, { close }) as unknown as CliLogger;
	const record = (one: InvocationRecord) => output.write(recordLine(one));
	const line = (one: LogLine) => {
		if (one.level !== "debug") output.write(functionLine(one));
	};
	return Object.assign(logger, { close, record, line }) as unknown as CliLogger;
}

/** For people. pino-pretty is loaded for them alone: it is 30 modules. */
function readable(output: LogOutput): pino.DestinationStream {
	const pretty = createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");
	const format = pretty.prettyFactory({
		colorize: true,
		ignore: FIELDS,
		messageFormat: describe,
		translateTime: false,
	});
	// How often limits were exceeded is worth a line of its own only where one was.
	return { write: (line) => output.write(format(line.replace(/,"(?:bindingCalls|exceeded)":\{\}/g, ""))) };
}
