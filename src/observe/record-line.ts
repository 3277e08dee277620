import { countsAsJson, type InvocationRecord, type LogLine } from "./record.ts";

/** What cannot stand in a string of JSON as it is, or would be no UTF-8. */
const UNSAFE = /["\\\p{Cc}\ud800-\udfff]/u;

/** As pino has them. */
const LEVELS: Readonly<Record<LogLine["level"], number>> = { debug: 20, info: 30, log: 30, warn: 40, error: 50 };

/** What comes from outside, as JSON: well formed, whatever it is. */
function asJson(value: string): string {
	return UNSAFE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/**
 * A record as a line of the log, as pino would write it: every request has one, and this takes a twelfth of the time that
 * pino takes (0.4 µs of 5, and a request all of 40).
 */
export function recordLine(record: InvocationRecord): string {
	const limits = countsAsJson(record.exceeded) ?? "{}";
	const calls = countsAsJson(record.bindingCalls) ?? "{}";
	return (
		`{"level":30,"time":"${record.time}","requestId":"${record.requestId}","traceId":"${record.traceId}",` +
		`"spanId":"${record.spanId}","tenant":${asJson(record.tenant)},` +
		`"function":${asJson(record.function)},"version":"${record.version}","event":${asJson(record.event)},` +
		`"hostname":${asJson(record.hostname)},"trigger":"${record.trigger}","method":${asJson(record.method)},` +
		`"url":${asJson(record.url)},"status":${record.status},"outcome":"${record.outcome}","cold":${record.cold},` +
		`"startMs":${record.startMs},"cpuMs":${record.cpuMs},"wallMs":${record.wallMs},` +
		`"requestBytes":${record.requestBytes},"responseBytes":${record.responseBytes},` +
		`"subrequests":${record.subrequests},"bindingCalls":${calls},"exceeded":${limits},"memoryBytes":${record.memoryBytes},` +
		`"attempts":${record.attempts},"msg":"request"}\n`
	);
}

/** What a function wrote as a line of the log, likewise. */
export function functionLine(line: LogLine): string {
	return (
		`{"level":${LEVELS[line.level]},"tenant":${asJson(line.tenant)},"function":${asJson(line.function)},` +
		`"version":"${line.version}","requestId":"${line.requestId}","loggedAt":"${line.time}",` +
		`"msg":${asJson(line.message)}}\n`
	);
}
