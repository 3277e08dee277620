import { Hono } from "hono";
import type { Control } from "../control.ts";
import type { Authenticated } from "../tokens.ts";
import { accounts } from "./accounts.ts";
import { analyticsCalls } from "./analytics.ts";
import { bucketCalls } from "./buckets.ts";
import { d1Calls } from "./d1.ts";
import { CloudflareError, Code, failed } from "./envelope.ts";
import { kvNamespaces } from "./kv-namespaces.ts";
import { metrics } from "./metrics.ts";
import { notifications } from "./notifications.ts";
import { queueCalls } from "./queues.ts";
import { scripts } from "./scripts.ts";
import { tailCalls } from "./tails.ts";

/** The part of Cloudflare's API that an unmodified wrangler asks, below `/client/v4`. */
export function cloudflareApi(control: Control): Hono<Authenticated> {
	const app = new Hono<Authenticated>();
	app.onError((error, c) => failed(c, error));
	app.route("/accounts/:account/workers/scripts/:script/tails", tailCalls(control));
	app.route("/accounts/:account/workers/scripts/:script", scripts(control));
	app.route("/accounts/:account/analytics_engine/sql", analyticsCalls(control));
	app.route("/accounts/:account/queues", queueCalls(control));
	app.route("/accounts/:account/storage/kv/namespaces", kvNamespaces(control));
	app.route("/accounts/:account/d1/database", d1Calls(control));
	app.route("/accounts/:account/r2/buckets", bucketCalls(control));
	app.route("/accounts/:account/event_notifications/r2", notifications(control));
	app.route("/graphql", metrics(control));
	app.route("/", accounts(control));
	app.all("*", (c) => {
		throw new CloudflareError(404, Code.notFound, `${c.req.method} ${c.req.path}: atoll does not have this call`);
	});
	return app;
}
