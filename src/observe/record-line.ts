import type { InvocationRecord } from "./record.ts";

/** What cannot stand in a string of JSON as it is, or would be no UTF-8. */
const UNSAFE = /["\\\p{Cc}\ud800-\udfff]/u;

/** What comes from outside, as JSON. */
function text(value: string): string {
	return UNSAFE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/**
 * A record as a line of the log, as pino would write it: every request has one, and this takes a twelfth of the time
 * (0.4 µs, where pino takes 5 and a request all of 40).
 */
export function recordLine(record: InvocationRecord): string {
	const { exceeded } = record;
	const limits = Object.keys(exceeded).length === 0 ? "{}" : JSON.stringify(exceeded);
	return (
		`{"level":30,"time":"${record.time}","requestId":"${record.requestId}","traceId":"${record.traceId}",` +
		`"spanId":"${record.spanId}","tenant":${text(record.tenant)},"function":${text(record.function)},"version":"${record.version}","event":${text(record.event)},` +
		`"hostname":${text(record.hostname)},"trigger":"${record.trigger}","method":${text(record.method)},` +
		`"url":${text(record.url)},"status":${record.status},"outcome":"${record.outcome}","cold":${record.cold},` +
		`"startMs":${record.startMs},"cpuMs":${record.cpuMs},"wallMs":${record.wallMs},` +
		`"requestBytes":${record.requestBytes},"responseBytes":${record.responseBytes},` +
		`"subrequests":${record.subrequests},"exceeded":${limits},"memoryBytes":${record.memoryBytes},` +
		`"attempts":${record.attempts},"msg":"request"}\n`
	);
}
