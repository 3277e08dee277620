import { isIP } from "node:net";
import { z } from "@hono/zod-openapi";
import { assetConfig } from "../../assets/asset-config.ts";
import { keptDays, keptVersions } from "../../config/server.ts";
import { limitsSchema } from "../../limits/limits.ts";
import { databaseName } from "../../names.ts";
import { pullSchema, triggersPatch } from "../../triggers/trigger-settings.ts";
import { SCOPES } from "../store/documents.ts";
import { manifestSchema } from "../uploads/asset-uploads.ts";

/** What the admin API takes and gives; its OpenAPI description is made of these. */
export const problemShape = z
	.object({
		type: z.string().openapi({ description: "A URI that names the kind of problem." }),
		title: z.string(),
		status: z.number().int(),
		detail: z.string().openapi({ description: "What was wrong, and where something can be done about it, what." }),
		code: z.string().openapi({ description: "One word for programs, as `does_not_build`." }),
	})
	.openapi("Problem", { description: "RFC 9457" });

const shareShape = z.object({
	version: z.string().openapi({ description: "A version's id or number." }),
	percent: z.number().openapi({ description: "From 0 to 100, in steps of 0.01; those of a release add up to 100." }),
});

const stickyShape = z.union([
	z.strictObject({ by: z.enum(["cookie", "header"]), name: z.string().regex(/^[!#$%&'*+.^_`|~\w-]{1,100}$/) }),
	z.strictObject({ by: z.literal("address") }),
]);

export const versionShape = z
	.object({
		id: z.uuid(),
		number: z.number().int(),
		hash: z.string(),
		size: z.number().int().openapi({ description: "Of its modules, in bytes." }),
		handlers: z.array(z.string()),
		compatibilityDate: z.string(),
		compatibilityFlags: z.array(z.string()),
		startMs: z.number().openapi({ description: "How long it took to start when it was uploaded." }),
		message: z.string(),
		tag: z.string(),
		author: z.string(),
		source: z.string(),
		created: z.string(),
		url: z.string().openapi({ description: "Where this version alone answers." }),
	})
	.openapi("Version");

export const releaseShape = z
	.object({
		id: z.uuid(),
		alias: z.string(),
		shares: z.array(shareShape),
		sticky: stickyShape.nullable(),
		message: z.string(),
		author: z.string(),
		source: z.string(),
		created: z.string(),
	})
	.openapi("Release");

export const functionShape = z
	.object({
		tenant: z.string(),
		name: z.string(),
		hostnames: z.array(z.string()),
		paused: z.boolean(),
		provisioned: z.number().int(),
		maxInstances: z.number().int().nullable().openapi({ description: "0 while it is paused." }),
		keep: z.object({ versions: z.number().int(), days: z.number().int().nullable() }),
		triggers: z
			.object({
				crons: z.array(z.string()),
				queues: z.array(z.looseObject({ queue: z.string() })),
				storage: z.array(z.looseObject({})),
			})
			.openapi({
				description: "What calls it beside requests: docs/triggers.md.",
			}),
		aliases: z.record(z.string(), z.array(shareShape)),
		created: z.string(),
		changed: z.string(),
	})
	.openapi("Function");

export const assetsRequest = z
	.strictObject({
		files: manifestSchema.meta({
			description:
				"By their paths, as /docs/index.html. The hash is the SHA-256 of a file's media type, a zero byte and its bytes, in hexadecimal.",
		}),
	})
	.openapi("AssetsRequest");

export const assetSessionShape = z
	.object({
		session: z.string().openapi({ description: "Goes with the files, and once none is missing with the version." }),
		missing: z.array(z.array(z.string())).openapi({
			description: "The hashes of files that are not here yet, as many together as may come in one call.",
		}),
	})
	.openapi("AssetSession");

const versionAssets = z.strictObject({
	session: z.string().openapi({ description: "What the call that sent the last of the files has given." }),
	binding: z.string().default("").openapi({ description: "The name under which the function finds them." }),
	config: assetConfig.prefault({}),
});

export const uploadMetadata = z
	.strictObject({
		main: z.string().optional().openapi({
			description: "Which of the modules is the function. A version with assets may have none.",
		}),
		variables: z.record(z.string(), z.any()).default({}),
		bindings: z.record(z.string(), z.looseObject({ type: z.string() })).default({}),
		assets: versionAssets.optional().openapi({ description: "Files that are served beside the function, or alone." }),
		versionMetadata: z.string().default("").openapi({
			description: "The name under which the version finds its own id, tag and timestamp.",
		}),
		limits: limitsSchema.default({}),
		compatibilityDate: z.string().max(100).default(""),
		compatibilityFlags: z.array(z.string().max(100)).max(100).default([]),
		message: z.string().max(1000).default(""),
		tag: z.string().max(100).default(""),
	})
	.openapi("UploadMetadata");

export const releaseRequest = z
	.strictObject({
		alias: z.string().optional().openapi({ description: "Default: production, which gets the function's traffic." }),
		shares: z.array(shareShape).min(1),
		sticky: stickyShape.optional().openapi({
			description: "What keeps whoever asks with one of several versions. Default: each request is for itself.",
		}),
		triggers: triggersPatch.optional().openapi({
			description:
				"What calls the function beside requests from now on, where production is released. What is not said stays as it is.",
		}),
		message: z.string().max(1000).default(""),
	})
	.openapi("ReleaseRequest");

export const rollbackRequest = z
	.strictObject({
		version: z.string().optional().openapi({ description: "Default: what the release before had." }),
		alias: z.string().optional(),
		message: z.string().max(1000).default(""),
	})
	.openapi("RollbackRequest");

export const settingsRequest = z.strictObject({
	paused: z.boolean().optional(),
	provisioned: z.number().int().min(0).max(10_000).optional().openapi({
		description:
			"How many isolates of each version with traffic, of two at most, are started ahead of requests, and kept.",
	}),
	maxInstances: z.number().int().min(0).max(10_000).nullable().optional().openapi({
		description:
			"In how many sandboxes each version may run; null for as many as it needs. 0 pauses the function, another number ends that.",
	}),
	keep: z.strictObject({ versions: keptVersions.optional(), days: keptDays.optional() }).optional().openapi({
		description: "How many versions and releases are kept beside those in use, and for how many days; null for ever.",
	}),
	onDomain: z.boolean().optional().openapi({ description: "Whether it is reached at NAME.<domain>." }),
	previews: z.boolean().optional().openapi({ description: "Whether versions and aliases have hostnames." }),
	triggers: triggersPatch.optional().openapi({
		description:
			"What calls it beside requests; what is not said stays as it is. What is released must have handlers for it.",
	}),
});

export const databaseShape = z.object({ id: z.string(), name: z.string(), created: z.string() }).openapi("Database");

export const databaseRequest = z.strictObject({ name: databaseName }).openapi("DatabaseRequest");

export const queryRequest = z
	.strictObject({
		sql: z.string(),
		params: z
			.array(z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(z.number())]))
			.default([])
			.openapi({ description: "What is bound to the last statement; a blob is a list of its bytes." }),
	})
	.openapi("Query");

export const statementShape = z
	.object({
		columns: z.array(z.string()),
		rows: z.array(z.array(z.unknown())),
		meta: z.looseObject({ duration: z.number(), changes: z.number(), rows_read: z.number(), rows_written: z.number() }),
	})
	.openapi("StatementResult");

export const importShape = z.object({ count: z.number().int(), rowsWritten: z.number().int() }).openapi("Imported");
export const bucketShape = z
	.object({
		name: z.string(),
		created: z.string(),
		objects: z.number().int(),
		bytes: z.number().int().openapi({ description: "What is in its objects." }),
	})
	.openapi("Bucket");

export const queueShape = z
	.object({
		name: z.string(),
		consumer: z.string().nullable().openapi({ description: "The function that is given its messages." }),
		pull: pullSchema.nullable().openapi({ description: "How they are taken over HTTP, in place of that." }),
		paused: z.boolean().openapi({ description: "Whether nobody is given any." }),
		created: z.string(),
	})
	.openapi("Queue");

export const queueCountShape = z
	.object({
		messages: z.number().int().openapi({ description: "Those that are being worked on included." }),
		bytes: z.number().int(),
		oldest: z.number().int().nullable().openapi({
			description: "When the oldest of them was sent, in milliseconds since 1970.",
		}),
	})
	.openapi("QueueCount");

const messageShape = z
	.strictObject({
		body: z.any(),
		contentType: z.enum(["json", "text", "bytes"]).default("json"),
		delaySeconds: z.number().int().nullable().default(null),
	})
	.refine(({ contentType, body }) => contentType === "json" || typeof body === "string", "the body must be a string");
export const messagesRequest = z.strictObject({
	messages: z.array(messageShape).min(1).openapi({
		description: "Up to 100, and 256 KB together. The body of one of the type bytes is in base64.",
	}),
});

export const queuePatch = z.strictObject({
	pull: pullSchema.nullable().optional().openapi({
		description: "Has its messages taken over HTTP, with one consumer in all; null ends that.",
	}),
	paused: z.boolean().optional().openapi({ description: "Whether nobody is to be given any." }),
});

export const pullRequest = z.strictObject({
	maxBatchSize: pullSchema.shape.maxBatchSize.unwrap().optional(),
	visibilityTimeoutMs: pullSchema.shape.visibilityTimeoutMs.unwrap().optional(),
});
export const pulledShape = z.array(
	z.object({
		id: z.string(),
		leaseId: z.string().openapi({ description: "By which it is acknowledged, or handed back." }),
		sent: z.number().int().openapi({ description: "In milliseconds since 1970." }),
		attempts: z.number().int().openapi({ description: "How often it was given to anybody, this time included." }),
		contentType: z.enum(["json", "text", "bytes"]),
		body: z.any().openapi({ description: "That of one of the type bytes is in base64." }),
	}),
);
export const ackRequest = z.strictObject({
	acks: z.array(z.string()).max(100).default([]).openapi({ description: "The leases of what is done." }),
	retries: z
		.array(
			z.strictObject({
				leaseId: z.string(),
				delaySeconds: z.number().int().min(0).max(43_200).nullable().default(null),
			}),
		)
		.max(100)
		.default([])
		.openapi({ description: "Those of what is handed back." }),
});

export const variablesPatch = z.record(z.string(), z.any());
export const secretsPatch = z.record(z.string(), z.string().nullable());

export const tailQuery = z.strictObject({
	header: z.array(z.string()).default([]).openapi({
		description: "Only requests with this header, as `x-user`, or with this in it, as `x-user:ada`.",
	}),
	ip: z
		.array(z.string().refine((text) => isIP(text) !== 0, "must be an IP address, as 192.0.2.1"))
		.default([])
		.openapi({ description: "Only requests from one of these addresses." }),
	outcome: z.array(z.string().max(100)).default([]).openapi({
		description: "Only what ended so, as `exception`; `error` for all that did not end well.",
	}),
	method: z.array(z.string().max(100)).default([]).openapi({ description: "Only requests with one of these methods." }),
	version: z.array(z.string().max(100)).max(1).default([]).openapi({
		description: "Only this version, by its number or id.",
	}),
	search: z.array(z.string().max(1000)).default([]).openapi({ description: "Only what has logged this text." }),
	sample: z.array(z.coerce.number().gt(0).max(1)).max(1).default([]).openapi({
		description: "Only such a share of all, as 0.1.",
	}),
});

export const tokenRequest = z
	.strictObject({
		label: z.string().min(1).max(100),
		scope: z.enum(SCOPES),
		tenant: z.string().nullable().default(null),
		functions: z.array(z.string()).max(1000).nullable().default(null),
		expires: z.iso.datetime().nullable().default(null),
	})
	.openapi("TokenRequest");

export const whoamiShape = z.object({
	id: z.string(),
	label: z.string(),
	scope: z.enum(SCOPES),
	tenant: z.string().nullable().openapi({ description: "The one that it acts for; null for every tenant." }),
	functions: z.array(z.string()).nullable().openapi({ description: "Those that it acts on; null for all." }),
	expires: z.string().nullable(),
	domain: z.string(),
	version: z.string().openapi({ description: "atoll's own." }),
});

export const tokenShape = z
	.object({
		id: z.string(),
		label: z.string(),
		scope: z.enum(SCOPES),
		tenant: z.string().nullable(),
		functions: z.array(z.string()).nullable(),
		created: z.string(),
		expires: z.string().nullable(),
	})
	.openapi("Token");
