/** The codes of the errors that a client can see, each with its HTTP status. */
const STATUS = {
	bad_request: 400,
	budget_exhausted: 402,
	hostname_not_found: 404,
	function_not_found: 404,
	path_not_found: 404,
	request_timeout: 408,
	body_too_large: 413,
	url_too_long: 414,
	quota_exceeded: 429,
	headers_too_large: 431,
	exception: 500,
	invalid_response: 500,
	no_handler: 501,
	body_consumed: 500,
	internal_error: 500,
	startup_failed: 500,
	cpu_limit_exceeded: 503,
	memory_limit_exceeded: 503,
	startup_cpu_limit_exceeded: 503,
	function_quarantined: 503,
	building: 503,
	paused: 503,
	overloaded: 503,
	shutting_down: 503,
	sandbox_lost: 503,
	wall_time_exceeded: 504,
} as const;

export type ErrorCode = keyof typeof STATUS;

export const ERROR_CODES = Object.keys(STATUS) as ErrorCode[];

/** What a client may read of an error: never a stack, never a name from inside the function. */
const PUBLIC_MESSAGE: Record<ErrorCode, string> = {
	bad_request: "The request is malformed.",
	budget_exhausted: "Whoever runs this function has used up its budget.",
	hostname_not_found: "No function is deployed at this hostname.",
	function_not_found: "No function of this name is deployed.",
	path_not_found: "No function is deployed at this path.",
	request_timeout: "The request took too long to arrive.",
	body_too_large: "The request's body is larger than this function accepts.",
	url_too_long: "The request's URL is too long.",
	quota_exceeded: "Whoever runs this function has used up its quota.",
	headers_too_large: "The request's headers are too large.",
	exception: "The function threw an exception.",
	invalid_response: "The function did not return a valid response.",
	no_handler: "The function has no handler for this event.",
	body_consumed:
		"The request's body was read before the runtime got it. Hand the request on before anything reads its body, or leave what was read in req.rawBody or req.body.",
	internal_error: "The server failed to handle the request.",
	startup_failed: "The function failed to start.",
	cpu_limit_exceeded: "The function used more CPU time than it is allowed.",
	memory_limit_exceeded: "The function used more memory than it is allowed.",
	startup_cpu_limit_exceeded: "The function used more CPU time to start than it is allowed.",
	function_quarantined: "The function is disabled for a while because it keeps failing.",
	building: "The function is still being built.",
	paused: "The function is paused.",
	overloaded: "The server is overloaded.",
	shutting_down: "The server is shutting down.",
	sandbox_lost: "The process that ran the function was lost.",
	wall_time_exceeded: "The function did not answer in time.",
};

/** An outcome that is an error, with what an operator should know about it. */
export class FunctionError extends Error {
	readonly code: ErrorCode;
	/** The stack inside the function, or an empty string. */
	readonly functionStack: string;
	/** A copy of what the function threw, for another one that has called it; `null` for anybody else. */
	readonly thrown: Uint8Array | null;
	/** Seconds after which the client may try again. */
	readonly retryAfter: number | undefined;

	constructor(
		code: ErrorCode,
		message = PUBLIC_MESSAGE[code],
		{ stack = "", thrown = null, retryAfter }: { stack?: string; thrown?: Uint8Array | null; retryAfter?: number } = {},
	) {
		super(message);
		this.name = "FunctionError";
		this.code = code;
		this.functionStack = stack;
		this.thrown = thrown;
		this.retryAfter = retryAfter;
	}

	get status(): number {
		return STATUS[this.code];
	}

	get publicMessage(): string {
		return this.code === "bad_request" ? this.message : PUBLIC_MESSAGE[this.code];
	}
}

/**
 * What kind of wrong use a UsageError tells of:
 *
 * - `invalid_option`: an option that makes no sense;
 * - `hostname_refused`: a hostname that the function cannot have;
 * - `limit_refused`: a limit above what the runtime allows;
 * - `source_not_found`: a source, or a folder of sources, that is not there;
 * - `source_refused`: a source that lies where functions may not be built from;
 * - `data_unusable`: a data folder that cannot be made or written;
 * - `closed`: the runtime is closed, or is closing.
 */
export type UsageErrorCode =
	| "invalid_option"
	| "hostname_refused"
	| "limit_refused"
	| "source_not_found"
	| "source_refused"
	| "data_unusable"
	| "closed";

/** Wrong use of the library or the command line: what is wrong, and what to do. */
export class UsageError extends Error {
	override name = "UsageError";
	readonly code: UsageErrorCode;

	constructor(message: string, code: UsageErrorCode = "invalid_option") {
		super(message);
		this.code = code;
	}
}
