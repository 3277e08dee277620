import { z } from "zod";
import { functionName, queueName, type TenantName } from "../names.ts";

/** How events of a source prove that they are its own. */
export const SCHEMES = ["github", "stripe", "standard-webhooks", "cloudevents"] as const;
export type SchemeName = (typeof SCHEMES)[number];

/** A source's name, of its tenant's: a part of the path at which it is reached. */
export const sourceName = z
	.string()
	.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must have up to 63 lower-case letters, digits and `-`");

const STANDARD_SECRET = /^(?:whsec_)?[A-Za-z0-9+/]{32,88}={0,2}$/;

/** What events are signed with, or show; several while one takes the place of another. */
export const secretsSchema = z.array(z.string().min(16, "must have 16 characters at least").max(512)).min(1).max(5);

/** Why a scheme cannot use a secret, or `null`. */
export function problemOfSecret(scheme: SchemeName, secret: string): string | null {
	return scheme === "standard-webhooks" && !STANDARD_SECRET.test(secret)
		? "must be whsec_ and 24 to 64 bytes in base64, as standard-webhooks has it"
		: null;
}

/** Which events of a source go where. */
export const ruleFields = {
	/** Their types, or what those begin with, as `invoice.*`. Default: all. */
	types: z.array(z.string().min(1).max(200)).max(50).default(["*"]),
	/** The function whose `event` handler is called. */
	function: functionName.optional(),
	/** Or the queue that they are sent to, in the JSON of CloudEvents. */
	queue: queueName.optional(),
	/** How often the function is tried again before an event is given up. Default 8, which takes some minutes. */
	retries: z.number().int().min(0).max(100).default(8),
	/** The queue that is told of what is given up. Default: none, the invocation tells. */
	deadLetterQueue: queueName.nullable().default(null),
};
const ruleSchema = z
	.strictObject(ruleFields)
	.refine((rule) => (rule.function === undefined) !== (rule.queue === undefined), {
		error: "must name a function or a queue",
	});
export type Rule = z.output<typeof ruleSchema>;

export const rulesSchema = z.array(ruleSchema).min(1).max(20);

/** A source as an edge knows it. */
export interface Source {
	tenant: TenantName;
	name: string;
	scheme: SchemeName;
	secrets: string[];
	rules: Rule[];
}

/** Whether a rule is for events of a type. */
export function isFor({ types }: Rule, type: string): boolean {
	return types.some((one) => (one.endsWith("*") ? type.startsWith(one.slice(0, -1)) : type === one));
}
