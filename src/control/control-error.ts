/** What the API refuses, each with its HTTP status. */
const STATUS = {
	invalid: 400,
	unauthorized: 401,
	forbidden: 403,
	not_found: 404,
	unknown_namespace: 400,
	namespace_not_found: 404,
	title_taken: 400,
	namespace_in_use: 400,
	database_not_found: 404,
	database_name_taken: 400,
	database_in_use: 400,
	unknown_database: 400,
	sql_failed: 400,
	unknown_bucket: 400,
	bucket_not_found: 404,
	bucket_taken: 409,
	bucket_not_empty: 409,
	conflict: 409,
	too_large: 413,
	does_not_build: 422,
	does_not_start: 422,
	profile_failed: 422,
	too_many_attempts: 429,
	too_many_uploads: 429,
	too_many_tails: 429,
	too_many_queries: 429,
	too_many_profiles: 429,
	internal: 500,
	not_supported: 501,
	disk_full: 507,
} as const;

export type ControlErrorCode = keyof typeof STATUS;

/** Why something was not done, for whoever asked for it. */
export class ControlError extends Error {
	override name = "ControlError";
	readonly code: ControlErrorCode;
	/** Seconds after which to try again. */
	readonly retryAfter: number | undefined;

	constructor(code: ControlErrorCode, message: string, retryAfter?: number) {
		super(message);
		this.code = code;
		this.retryAfter = retryAfter;
	}

	get status(): number {
		return STATUS[this.code];
	}
}
