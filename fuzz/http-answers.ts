/** One response, as it came over a connection. */
interface HttpAnswer {
	status: number;
	/** Name in lower case, value. */
	headers: [name: string, value: string][];
	body: Buffer;
}

/** What came over a connection: responses, what is wrong with them, and what came after the last: a WebSocket's frames. */
export interface Reading {
	answers: HttpAnswer[];
	problem: string | null;
	rest: Buffer;
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/;
const FIELD =
	/^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;
const PLATFORM = new Set(["x-atoll-request-id", "x-atoll-error"]);

/**
 * Reads all that came back over one connection, by RFC 9112 to the letter. There may be `most` responses; a last one that breaks
 * off is none, since that is what tells the client.
 */
export function readAnswers(bytes: Buffer, most: number): Reading {
	const answers: HttpAnswer[] = [];
	let rest = bytes;
	let closing = false;
	const stop = (problem: string | null): Reading => ({ answers, problem, rest });
	while (rest.length > 0) {
		if (closing) return stop("bytes after a response with Connection: close");
		const end = rest.indexOf("\r\n\r\n");
		if (end < 0) return stop(isHeadBegun(rest) ? null : `no head of a response: ${shown(rest)}`);
		const [statusLine, ...lines] = rest.toString("latin1", 0, end).split("\r\n");
		const status = Number(STATUS_LINE.exec(statusLine)?.[1]);
		if (Number.isNaN(status)) return stop(`no status line: ${shown(rest)}`);
		const headers: [string, string][] = [];
		for (const line of lines) {
			const field = FIELD.exec(line);
			if (field === null) return stop(`no header line: ${JSON.stringify(line.slice(0, 100))}`);
			headers.push([field[1].toLowerCase(), field[2]]);
		}
		const answer: HttpAnswer = { status, headers, body: Buffer.alloc(0) };
		const problem = headProblem(answer);
		if (problem !== null) return stop(problem);
		rest = rest.subarray(end + 4);
		if (status === 100) continue;
		if (answers.length === most) return stop(`more responses than requests: ${shown(bytes.subarray(-rest.length))}`);
		if (status === 101) {
			answers.push(answer);
			return stop(null);
		}
		const body = bodyOf(answer, rest);
		if (typeof body === "string") return stop(body);
		if (body === null) return stop(null);
		answer.body = body.content;
		rest = rest.subarray(body.length);
		answers.push(answer);
		const forged = errorProblem(answer, body.length > 0);
		if (forged !== null) return stop(forged);
		closing = valuesOf(answer, "connection").includes("close");
	}
	return stop(null);
}

function valuesOf({ headers }: HttpAnswer, name: string): string[] {
	return headers.filter(([key]) => key === name).map(([, value]) => value);
}

/** What RFC 9112 forbids in a head, and what only the platform may say. */
function headProblem(answer: HttpAnswer): string | null {
	const lengths = valuesOf(answer, "content-length");
	const codings = valuesOf(answer, "transfer-encoding");
	if (lengths.length > 1) return `${lengths.length} Content-Lengths`;
	if (lengths.some((length) => !/^\d+$/.test(length))) return `a Content-Length of ${lengths}`;
	if (codings.length > 0 && lengths.length > 0) return "Transfer-Encoding beside Content-Length";
	if (codings.length > 1 || codings.some((coding) => coding !== "chunked")) return `a Transfer-Encoding of ${codings}`;
	if ((answer.status < 200 || answer.status === 204) && lengths.length + codings.length > 0)
		return `a body's length with status ${answer.status}`;
	if (answer.status === 100) return null;
	for (const [name] of answer.headers)
		if (name.startsWith("x-atoll-") && !PLATFORM.has(name)) return `a header that the platform does not send: ${name}`;
	const ids = valuesOf(answer, "x-atoll-request-id");
	if (ids.length !== 1) return `${ids.length} request ids in a response with status ${answer.status}`;
	if (!/^[0-9a-z-]{10,64}$/.test(ids[0])) return `a request id that is none: ${ids[0]}`;
	if (valuesOf(answer, "x-atoll-error").length > 1) return "two errors";
	return null;
}

/** An error that the platform did not send: its body does not know the request's id. `whole` is whether there was a body. */
function errorProblem(answer: HttpAnswer, whole: boolean): string | null {
	const [code] = valuesOf(answer, "x-atoll-error");
	if (code === undefined || !whole) return null;
	const [id] = valuesOf(answer, "x-atoll-request-id");
	const text = answer.body.toString();
	return text.includes(code) && text.includes(id) ? null : `an x-atoll-error that the platform did not send: ${code}`;
}

/** A response's body, and how many bytes it takes; `null` where it breaks off; a text that says what is wrong. */
function bodyOf(answer: HttpAnswer, rest: Buffer): { content: Buffer; length: number } | string | null {
	const none = { content: Buffer.alloc(0), length: 0 };
	const { status } = answer;
	if (status === 204 || status === 304 || isOfHead(answer, rest)) return none;
	if (valuesOf(answer, "transfer-encoding").length > 0) return chunks(rest);
	const [length] = valuesOf(answer, "content-length");
	if (length === undefined)
		return valuesOf(answer, "connection").includes("close")
			? { content: rest, length: rest.length }
			: "a body without a length on a connection that goes on";
	const bytes = Number(length);
	return rest.length < bytes ? null : { content: rest.subarray(0, bytes), length: bytes };
}

/** Whether it answers a HEAD: the stage says so, and an error of the platform is followed by no body then. */
function isOfHead(answer: HttpAnswer, rest: Buffer): boolean {
	const [method] = valuesOf(answer, "x-stage-method");
	if (method !== undefined) return method === "HEAD";
	return valuesOf(answer, "x-atoll-error").length > 0 && (rest.length === 0 || rest.indexOf("HTTP/1.1 ") === 0);
}

function chunks(rest: Buffer): { content: Buffer; length: number } | string | null {
	const parts: Buffer[] = [];
	let at = 0;
	for (;;) {
		const end = rest.indexOf("\r\n", at);
		if (end < 0) return null;
		const line = rest.toString("latin1", at, end);
		if (!/^[0-9A-Fa-f]{1,8}$/.test(line)) return `no size of a chunk: ${JSON.stringify(line.slice(0, 50))}`;
		const size = Number.parseInt(line, 16);
		const start = end + 2;
		if (rest.length < start + size + 2) return null;
		if (rest.toString("latin1", start + size, start + size + 2) !== "\r\n")
			return "a chunk that is longer than its size";
		at = start + size + 2;
		if (size === 0) return { content: Buffer.concat(parts), length: at };
		parts.push(rest.subarray(start, start + size));
	}
}

/** Whether bytes can be the beginning of a head that broke off. */
function isHeadBegun(bytes: Buffer): boolean {
	const begun = bytes.toString("latin1", 0, 9);
	return "HTTP/1.1 ".startsWith(begun);
}

function shown(bytes: Buffer): string {
	return JSON.stringify(bytes.toString("latin1", 0, 100));
}
