import { z } from "zod";
import { duration } from "./durations.ts";

/** The name of a rule or a receiver, of its tenant's. */
export const alertingName = z
	.string()
	.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must have up to 63 lower-case letters, digits and `-`");

/** A label's name: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels */
export const labelName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "must be letters, digits and _, up to 63");

/** What a label has to be, as `severity=critical`, `function!=test-*`. */
export const matcherText = z
	.string()
	.max(300)
	.regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}!?=[^\n\r]*$/, "must be LABEL=VALUE or LABEL!=VALUE; * in VALUE is anything");

export const RECEIVER_KINDS = ["webhook", "slack", "alertmanager"] as const;
export type ReceiverKind = (typeof RECEIVER_KINDS)[number];

const url = z
	.string()
	.max(2000)
	.refine((text) => ["http:", "https:"].includes(URL.parse(text)?.protocol ?? ""), {
		error: "must be a URL of http or https",
	});

/** Of standard-webhooks: 24 to 64 bytes in base64. */
const WEBHOOK_SECRET = /^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/;

const fields = {
	kind: z.enum(RECEIVER_KINDS).meta({
		description:
			"A webhook that is signed as standard-webhooks has it, an incoming webhook of Slack, or an Alertmanager.",
	}),
	matchers: z.array(matcherText).max(20).default([]).meta({
		description: "The alerts that it is told of: those whose labels are as all of these say. Default: all.",
	}),
	groupBy: z.array(labelName).max(10).default(["alertname", "tenant"]).meta({
		description: "Alerts for which these labels are the same are told together.",
	}),
	groupWait: duration("0s", "1h").default("30s").meta({ description: "A new group waits so long for further alerts." }),
	groupInterval: duration("1s", "1d").default("5m").meta({
		description: "What changes in a group is told so long after what was told last, at the earliest.",
	}),
	repeatInterval: duration("10s", "7d").default("4h").meta({
		description: "What goes on firing is told again after so long. An Alertmanager is told every minute.",
	}),
	sendResolved: z.boolean().default(true).meta({ description: "Whether it is told that an alert is over." }),
	enabled: z.boolean().default(true),
};

/** Whether a secret is one that a kind of receiver can use. */
const isSecretOf = (kind: ReceiverKind, secret: string | undefined) =>
	secret === undefined || (kind === "webhook" ? WEBHOOK_SECRET.test(secret) : /^[\x21-\x7e]{1,500}$/.test(secret));
const WRONG_SECRET =
	"must be whsec_ and 24 to 64 bytes in base64 for a webhook, and a bearer token for an Alertmanager";

/** A receiver as the API takes it: one that is there may keep its URL and its secret. */
export const receiverSchema = z
	.strictObject({ ...fields, url: url.optional(), secret: z.string().max(500).optional() })
	.refine(({ kind, secret }) => isSecretOf(kind, secret), { path: ["secret"], error: WRONG_SECRET });

/** One that a server's settings name. */
const configuredReceiver = z
	.strictObject({ ...fields, url, secret: z.string().max(500).optional() })
	.refine(({ kind, secret }) => isSecretOf(kind, secret), { path: ["secret"], error: WRONG_SECRET })
	.refine(({ kind, secret }) => kind !== "webhook" || secret !== undefined, {
		path: ["secret"],
		error: "a webhook needs one, with which it is signed",
	});

export type ReceiverSettings = Omit<z.output<typeof receiverSchema>, "url" | "secret">;

/** What a server's settings say of alerts. */
export const alertsSchema = z.strictObject({
	intervalMs: z.number().int().min(100).max(60_000).default(10_000).meta({
		description: "How often all rules are evaluated, in milliseconds.",
	}),
	url: z
		.url({ protocol: /^https?$/ })
		.optional()
		.meta({
			description:
				"Where people reach the admin port, for the links in notifications. Default: http://<adminHost>:<adminPort>.",
		}),
	receivers: z.record(alertingName, configuredReceiver).default({}).meta({
		description: "Who is told of alerts, beside those that the admin API has; these may be on private networks.",
	}),
});
export type AlertsConfig = z.output<typeof alertsSchema>;
