import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { RollupQuery } from "../../logs/calls.ts";
import { MOST_LETTERS, parseQuery } from "../../logs/query/parser.ts";
import { momentOf, timeOf } from "../../logs/query/values.ts";
import { type FunctionName, functionName, keyOf, type TenantName } from "../../names.ts";
import type { EpochMs, Milliseconds } from "../../units.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import { checked } from "../json.ts";
import { FollowSession } from "../observe/follow-session.ts";
import { invocationOf } from "../observe/invocation.ts";
import { unknownNames } from "../observe/unknown-names.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, type Call } from "./calls.ts";
import { eventStream } from "./event-stream.ts";

type C = Context<Authenticated>;

const LOGS = "/tenants/{tenant}/logs";
const ROLLUPS = "/rollups";

const MOST_ENTRIES = 1000;
const EARLIEST = "1970-01-01";
/** One invocation is looked for in this time, unless it is said otherwise. */
const LOOK_BACK = "7d";
/** More steps than this are no chart. */
const MOST_STEPS = 3000;
const STEPS = { "10s": 10_000, "1m": 60_000, "1h": 3600_000 } as const;

const time = (what: string) =>
	z
		.string()
		.max(40)
		.refine((text) => timeOf(text) !== null, "must be a time, as 1h (ago), 2d, or 2026-11-30T10:20:00Z")
		.openapi({ description: `${what}: so long ago, as \`1h\` or \`2d\`, or a time as \`2026-11-30T10:20:00Z\`.` });
const since = (text: string) => time("From when on").default(text);
const until = time("Until when; until now where it is not given").optional();

const text = z.string().max(MOST_LETTERS).default("").openapi({
	description: "Which entries, and how they are grouped: docs/observability.md. All of them where it is empty.",
});
const ofFunction = functionName.optional().openapi({ description: "Of this function alone." });

const logsQuery = z.strictObject({
	query: text,
	function: ofFunction,
	since: time("From when on; 1h where neither this nor the query says it").optional(),
	until,
	limit: z.coerce.number().int().min(1).max(MOST_ENTRIES).default(100).openapi({ description: "Entries at most." }),
	cursor: z.string().max(1000).optional().openapi({ description: "Where the page before has ended." }),
});
const followQuery = z.strictObject({ query: text, function: ofFunction });
const oneQuery = z.strictObject({ since: since(LOOK_BACK) });
const rollupsQuery = z.strictObject({
	since: since("1h"),
	until,
	step: z.enum(["10s", "1m", "1h"]).optional().openapi({
		description: "What a rollup is of. The shortest that makes no more than a few hundred, where it is not given.",
	}),
	by: z.enum(["total", "function", "version"]).optional().openapi({ description: "What is told apart." }),
});

const lineShape = z.object({
	time: z.string(),
	level: z.enum(["debug", "info", "log", "warn", "error"]),
	tenant: z.string(),
	function: z.string(),
	version: z.string(),
	requestId: z.string(),
	message: z.string(),
});
const recordShape = z.object({
	time: z.string(),
	requestId: z.string(),
	traceId: z.string(),
	spanId: z.string(),
	tenant: z.string(),
	function: z.string(),
	version: z.string(),
	event: z.string(),
	hostname: z.string(),
	trigger: z.string(),
	method: z.string(),
	url: z.string(),
	status: z.number(),
	outcome: z.string(),
	cold: z.boolean(),
	startMs: z.number(),
	cpuMs: z.number(),
	wallMs: z.number(),
	requestBytes: z.number(),
	responseBytes: z.number(),
	subrequests: z.number(),
	bindingCalls: z.record(z.string(), z.number()),
	exceeded: z.record(z.string(), z.number()),
	memoryBytes: z.number(),
	attempts: z.number(),
});
const entryShape = z
	.object({
		time: z.number().openapi({ description: "In milliseconds since 1970." }),
		record: recordShape.nullable().openapi({ description: "Null for lines that belong to no invocation." }),
		lines: z.array(lineShape),
	})
	.openapi("LogEntry");
const resultShape = z
	.object({
		entries: z.array(entryShape).openapi({ description: "The latest first; none where the query groups." }),
		columns: z.array(z.string()).openapi({ description: "Of groups." }),
		rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
		cursor: z.string().nullable().openapi({ description: "What the next page is asked for with." }),
		whole: z.boolean().openapi({ description: "Whether all within the time was looked at." }),
		read: z.object({ segments: z.number(), entries: z.number(), bytes: z.number() }),
		lost: z.number().openapi({ description: "How many records and lines within the time were lost." }),
		notes: z.array(z.string()).openapi({ description: "What may explain that nothing was found, a sentence each." }),
	})
	.openapi("LogResult");
const histogramShape = z
	.object({
		counts: z.array(z.number()).openapi({
			description:
				"How often it was at most 0.5 ms, 1 ms, 2.5 ms … 30 s, and longer, as `faas_invoke_duration_seconds`.",
		}),
		sum: z.number(),
	})
	.openapi("Histogram");
const rollupShape = z
	.object({
		time: z.number(),
		step: z.number(),
		tenant: z.string(),
		function: z.string(),
		version: z.string(),
		outcomes: z.record(z.string(), z.number()),
		wall: histogramShape,
		cpu: histogramShape,
		start: histogramShape,
		requestBytes: z.number(),
		responseBytes: z.number(),
		subrequests: z.number(),
		bindingCalls: z.record(z.string(), z.number()),
		memoryBytes: z.number(),
	})
	.openapi("Rollup");

/** Whose logs a call is of, as far as its bearer may see them. */
interface Seen {
	tenant: TenantName | null;
	functions: FunctionName[] | null;
}

/** The calls for what has happened: records, what was logged, and what was counted. */
export function addLogCalls(app: OpenAPIHono<Authenticated>, control: Control): void {
	const { logs, store } = control;
	const call = <Body>(one: Call<Body>) => addCall(app, one);
	const ask = async (c: C) => {
		const { function: name, limit, cursor = null, query, ...range } = checked(logsQuery, c.req.query());
		const { since = saysSince(query) ? EARLIEST : "1h", until } = range;
		const wanted = { ...seenBy(c, name), ...rangeIn({ since, until }), query, limit, cursor };
		const found = await logs.query(wanted);
		return { ...found, notes: await unknownNames(store, wanted, found, name) };
	};
	const rollups = (c: C, by: RollupQuery["by"]) =>
		logs.rollups({ ...seenBy(c), ...rollupsIn(checked(rollupsQuery, c.req.query()), by) });

	call({
		method: "get",
		path: LOGS,
		summary: "What a tenant's functions have done and logged, by a query",
		scope: "read",
		query: logsQuery,
		result: resultShape,
		perform: ask,
	});
	call({
		method: "get",
		path: "/logs",
		summary: "The same of all tenants, and of requests that no function serves",
		scope: "read",
		query: logsQuery,
		result: resultShape,
		perform: ask,
	});
	for (const [path, whose] of [
		[LOGS, "a tenant's functions"],
		["/logs", "all tenants' functions"],
	])
		call({
			method: "get",
			path: `${path}/follow`,
			summary: `What ${whose} do from now on, by a query that does not group: server-sent events, each an entry; those with the name sampled say how many were left out`,
			scope: "read",
			query: followQuery,
			stream: "text/event-stream",
			perform: (c) => {
				const { query, function: name } = checked(followQuery, c.req.query());
				const { tenant, functions } = seenBy(c, name);
				const [only] = functions ?? [];
				const scope = tenant === null ? "" : functions?.length === 1 ? keyOf({ tenant, name: only }) : `${tenant}/`;
				return eventStream(c, control, (reader) => new FollowSession({ scope, functions, query }, reader));
			},
		});
	call({
		method: "get",
		path: `${LOGS}/{requestId}`,
		summary: "One invocation with all that it has logged, by its id",
		scope: "read",
		query: oneQuery,
		result: entryShape,
		perform: async (c) => {
			const range = rangeIn(checked(oneQuery, c.req.query()));
			return invocationOf(logs, c.req.param("requestId") as string, { ...seenBy(c), ...range });
		},
	});
	call({
		method: "get",
		path: `/tenants/{tenant}${ROLLUPS}`,
		summary: "What a tenant's functions did in each step of time, exactly",
		scope: "read",
		query: rollupsQuery,
		result: z.array(rollupShape),
		perform: (c) => rollups(c, "function"),
	});
	call({
		method: "get",
		path: `/tenants/{tenant}/functions/{name}${ROLLUPS}`,
		summary: "What a function did in each step of time, exactly",
		scope: "read",
		query: rollupsQuery,
		result: z.array(rollupShape),
		perform: (c) => rollups(c, "version"),
	});
	call({
		method: "get",
		path: ROLLUPS,
		summary: "What all tenants' functions did in each step of time, exactly",
		scope: "read",
		query: rollupsQuery,
		result: z.array(rollupShape),
		perform: (c) => rollups(c, "total"),
	});
}

/** Whose logs the path names, and the functions that the token is held to, or the one that is asked for. */
function seenBy(c: C, asked?: FunctionName): Seen {
	const { tenant = null, name = asked } = c.req.param() as Record<string, string | undefined>;
	if (name === undefined) return { tenant, functions: c.get("bearer").grant.functions };
	c.get("bearer").require("read", tenant, name);
	return { tenant, functions: [name] };
}

/** Whether a query says itself from when on; one that makes no sense is refused later. */
function saysSince(query: string): boolean {
	try {
		const { filter } = parseQuery(query);
		const parts = filter?.kind === "and" ? filter.parts : [filter];
		return parts.some((part) => part?.kind === "time" && (part.comparison === ">=" || part.comparison === ">"));
	} catch {
		return false;
	}
}

function rangeIn(said: { since: string; until?: string | undefined }): { since: EpochMs; until: EpochMs } {
	const now = Date.now();
	const at = (text: string): EpochMs => {
		const given = timeOf(text);
		return given === null ? now : Math.max(0, momentOf(given, now));
	};
	const range = { since: at(said.since), until: said.until === undefined ? now : at(said.until) };
	if (range.since >= range.until) throw new ControlError("invalid", "since: it must be before until");
	return range;
}

function rollupsIn(said: z.output<typeof rollupsQuery>, by: RollupQuery["by"]): Omit<RollupQuery, keyof Seen> {
	const range = rangeIn(said);
	const length: Milliseconds = range.until - range.since;
	const step = STEPS[said.step ?? (length <= 3600_000 ? "10s" : length <= 24 * 3600_000 ? "1m" : "1h")];
	if (length / step > MOST_STEPS)
		throw new ControlError("invalid", `step: these are more than ${MOST_STEPS} steps; take a longer one`);
	return { ...range, step, by: said.by ?? by };
}
