import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { RECEIVER_KINDS, receiverSchema } from "../../config/alert-receivers.ts";
import { tenantName } from "../../names.ts";
import type { Alert } from "../alerts/alert.ts";
import type { Delivery } from "../alerts/deliveries.ts";
import { ruleSchema } from "../alerts/rule.ts";
import type { Owner } from "../alerts/rules.ts";
import { silenceSchema } from "../alerts/silence.ts";
import type { Control } from "../control.ts";
import { checked } from "../json.ts";
import type { AlertReceiverDocument, Scope } from "../store/documents.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall, type Call } from "./calls.ts";

type C = Context<Authenticated>;

/** So many are told of anything that there may be many of. */
const MOST_TOLD = 1000;

const time = z.iso.datetime().nullable();
const alertShape = z
	.object({
		id: z.string(),
		rule: z.string(),
		origin: z.enum(["default", "operator", "tenant"]).openapi({ description: "Who has made its rule." }),
		tenant: z.string().openapi({ description: "Empty where it is of the server." }),
		function: z.string().openapi({ description: "Empty where it is of a tenant as a whole, or of the server." }),
		state: z.enum(["pending", "firing", "resolved"]),
		since: z.iso.datetime().openapi({ description: "When it began to fire, or of a pending one when it began." }),
		endsAt: time,
		value: z.number().nullable().openapi({ description: "What was measured last." }),
		threshold: z.string().openapi({ description: "As `> 5`, or `> 5, over at 4`." }),
		severity: z.enum(["info", "warning", "critical"]),
		labels: z.record(z.string(), z.string()),
		annotations: z.record(z.string(), z.string()),
	})
	.openapi("Alert");
const ruleShape = z
	.object({
		name: z.string(),
		origin: z.enum(["default", "operator", "tenant"]),
		lastError: z.string().nullable().openapi({ description: "Why it could not be evaluated last; null where it was." }),
	})
	.loose()
	.openapi("AlertRule", { description: "What its PUT says, and whose it is." });
const evaluationShape = z.object({
	tenant: z.string(),
	function: z.string(),
	value: z.number().nullable(),
	requests: z.number().nullable().openapi({ description: "From how many invocations within the window." }),
	verdict: z.enum(["breached", "between", "calm", "unknown"]),
});
const receiverShape = z
	.object({
		name: z.string(),
		kind: z.enum(RECEIVER_KINDS),
		origin: z.string().openapi({ description: "Of its URL, which may have a secret and is not told." }),
		hasSecret: z.boolean().openapi({ description: "Whether notifications are signed, or have a token." }),
		configured: z.boolean().openapi({ description: "Whether the server's settings name it." }),
		changed: time,
	})
	.loose()
	.openapi("AlertReceiver", { description: "What its PUT says, without the URL and the secret." });
const silenceShape = z
	.object({
		...{ id: z.string(), matchers: z.array(z.string()), from: z.iso.datetime(), until: z.iso.datetime() },
		...{ by: z.string(), comment: z.string(), created: z.iso.datetime() },
	})
	.openapi("AlertSilence");
const deliveryShape = z
	.object({
		id: z.string(),
		receiver: z.string(),
		state: z.enum(["waiting", "delivered", "failed", "dropped"]),
		created: z.iso.datetime(),
		attempts: z.number(),
		next: time.openapi({ description: "When it is tried again." }),
		ended: time,
		status: z.number().nullable().openapi({ description: "Of the last answer." }),
		error: z.string().nullable(),
		alerts: z.number(),
		notification: z.enum(["firing", "resolved"]),
		groupLabels: z.record(z.string(), z.string()),
	})
	.openapi("AlertDelivery");

const states = z.enum(["pending", "firing", "resolved"]);
const alertsQuery = z.object({
	state: z.preprocess((given) => (given === undefined ? [] : [given].flat()), z.array(states)),
});

const timeOf = (at: number | null) => (at === null ? null : new Date(at).toISOString());

function alertTold({ since: _, boot: __, startsAt, endsAt, ...alert }: Alert) {
	return { ...alert, since: timeOf(startsAt), endsAt: timeOf(endsAt) };
}

function deliveryTold({ id, receiver, state, attempts, due, ended, status, error, notification }: Delivery) {
	const { created, alerts, omitted, groupLabels } = notification;
	return {
		...{ id, receiver: receiver.slice(receiver.indexOf("/") + 1), state, attempts, status, error, groupLabels },
		...{ created: timeOf(created), next: timeOf(due), ended: timeOf(ended) },
		...{ alerts: alerts.length + omitted, notification: notification.status },
	};
}

function receiverTold({ name, settings, origin, hasSecret, changed }: AlertReceiverDocument) {
	return { name, ...settings, origin, hasSecret, configured: false, changed };
}

/** The calls for alerts: a tenant's, and the operator's own and by default. */
export function addAlertCalls(app: OpenAPIHono<Authenticated>, control: Control): void {
	addAlertList(app, control);
	for (const prefix of ["/tenants/{tenant}", ""]) addOwnersCalls(app, control, prefix);
}

function addAlertList(app: OpenAPIHono<Authenticated>, { alerts }: Control): void {
	const told = (c: C, owner: Owner) => {
		const { state } = checked(alertsQuery, c.req.queries());
		const { functions } = c.get("bearer").grant;
		const seen = alerts.list(owner).filter((one) => {
			if (state.length > 0 && !state.includes(one.state)) return false;
			return functions === null || functions.includes(one.function);
		});
		return seen.slice(0, MOST_TOLD).map(alertTold);
	};
	const call = { method: "get", scope: "read", query: alertsQuery, result: z.array(alertShape) } as const;
	addCall(app, {
		...call,
		path: "/alerts",
		summary: "Alerts of all tenants and of the server, or of the tenant that the token is for; firing ones first",
		own: true,
		perform: (c) => told(c, c.get("bearer").tenant),
	});
	addCall(app, {
		...call,
		path: "/tenants/{tenant}/alerts",
		summary: "A tenant's alerts, firing ones first",
		perform: (c) => told(c, c.req.param("tenant") as string),
	});
}

/** What a tenant has of its own, and below no prefix the operator. */
function addOwnersCalls(app: OpenAPIHono<Authenticated>, { alerts }: Control, prefix: string): void {
	const isOperators = prefix === "";
	const whose = isOperators ? "the operator's" : "a tenant's";
	/** What is all of the tenant's functions' is not told to a token that is held to some of them. */
	const ownerOf = (c: C, scope: Scope): Owner => {
		const tenant = isOperators ? "" : checked(tenantName, c.req.param("tenant"), "the tenant's name");
		c.get("bearer").requireStored(scope, tenant);
		return isOperators ? null : tenant;
	};
	const write = isOperators ? "admin" : "deploy";
	const call = <Body>(one: Call<Body>) => addCall(app, { ...one, path: prefix + one.path });
	const param = (c: C, name: string) => c.req.param(name) as string;
	const actorOf = (c: C) => c.get("bearer").label;

	call({
		method: "get",
		path: "/alert-rules",
		summary: isOperators ? "The rules by default and the operator's own" : "The rules that hold for a tenant",
		scope: "read",
		result: z.array(ruleShape),
		perform: (c) => alerts.rulesOf(ownerOf(c, "read")),
	});
	call({
		method: "get",
		path: "/alert-rules/{rule}",
		summary: "One of them",
		scope: "read",
		result: ruleShape,
		perform: (c) => alerts.rule(ownerOf(c, "read"), param(c, "rule")),
	});
	call({
		method: "put",
		path: "/alert-rules/{rule}",
		summary: `Has there be a rule of ${whose}, in place of what there is of its name`,
		scope: write,
		body: ruleSchema,
		result: ruleShape,
		perform: async (c, settings) => {
			const owner = ownerOf(c, write);
			await alerts.rules.put(actorOf(c), owner, param(c, "rule"), settings);
			return alerts.rule(owner, param(c, "rule"));
		},
	});
	call({
		method: "delete",
		path: "/alert-rules/{rule}",
		summary: `Removes a rule of ${whose}; what there is of its name by default holds again`,
		scope: write,
		perform: async (c) => void (await alerts.rules.remove(actorOf(c), ownerOf(c, write), param(c, "rule"))),
	});
	call({
		method: "post",
		path: "/alert-rules/{rule}/test",
		summary: "Evaluates a rule now, and says of what it looks at what was measured; no alert comes of it",
		scope: "read",
		result: z.array(evaluationShape),
		perform: async (c) => (await alerts.testRule(ownerOf(c, "read"), param(c, "rule"))).slice(0, MOST_TOLD),
	});

	call({
		method: "get",
		path: "/receivers",
		summary: `Who is told of alerts: ${whose} receivers`,
		scope: "read",
		result: z.array(receiverShape),
		perform: async (c) => {
			const owner = ownerOf(c, "read");
			const own = (await alerts.receivers.list(owner)).map(receiverTold);
			return owner === null ? [...alerts.configured(), ...own] : own;
		},
	});
	const one = async (owner: Owner, name: string) => {
		const configured = owner === null ? alerts.configured().find((receiver) => receiver.name === name) : undefined;
		if (configured !== undefined) return configured;
		return receiverTold((await alerts.receivers.find(owner, name)).value);
	};
	call({
		method: "get",
		path: "/receivers/{receiver}",
		summary: "One of them",
		scope: "read",
		result: receiverShape,
		perform: (c) => one(ownerOf(c, "read"), param(c, "receiver")),
	});
	call({
		method: "put",
		path: "/receivers/{receiver}",
		summary: `Has there be a receiver of ${whose}, in place of what it may have been`,
		scope: write,
		body: receiverSchema,
		result: receiverShape,
		perform: async (c, given) => {
			const owner = ownerOf(c, write);
			await alerts.receivers.put(actorOf(c), owner, param(c, "receiver"), given);
			return one(owner, param(c, "receiver"));
		},
	});
	call({
		method: "delete",
		path: "/receivers/{receiver}",
		summary: "Tells a receiver of no more alerts",
		scope: write,
		perform: async (c) => void (await alerts.receivers.remove(actorOf(c), ownerOf(c, write), param(c, "receiver"))),
	});
	call({
		method: "post",
		path: "/receivers/{receiver}/test",
		summary: "Sends a receiver a notification that says that it is a test, once, and tells what it answered",
		scope: write,
		result: z.object({ status: z.number().nullable(), error: z.string().nullable() }),
		perform: (c) => alerts.testReceiver(ownerOf(c, write), param(c, "receiver")),
	});
	call({
		method: "get",
		path: "/alert-deliveries",
		summary: `What ${whose} receivers were told lately and are to be told, the latest first`,
		scope: "read",
		result: z.array(deliveryShape),
		perform: (c) => alerts.deliveriesOf(ownerOf(c, "read")).slice(0, MOST_TOLD).map(deliveryTold),
	});

	call({
		method: "get",
		path: "/silences",
		summary: `Of which alerts nobody is told for a while: ${whose} silences`,
		scope: "read",
		result: z.array(silenceShape),
		perform: async (c) => (await alerts.silences.list(ownerOf(c, "read"))).map(({ tenant: _, ...silence }) => silence),
	});
	call({
		method: "post",
		path: "/silences",
		summary: `Has none of ${whose} receivers be told of some alerts for a while`,
		scope: write,
		body: silenceSchema,
		result: silenceShape,
		perform: async (c, given) => {
			const { tenant: _, ...silence } = await alerts.silences.add(actorOf(c), ownerOf(c, write), given);
			return silence;
		},
	});
	call({
		method: "delete",
		path: "/silences/{silence}",
		summary: "Ends a silence",
		scope: write,
		perform: (c) => alerts.silences.remove(actorOf(c), ownerOf(c, write), param(c, "silence")),
	});
}
