import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import type { Control } from "../control.ts";
import type { Authenticated } from "../tokens.ts";
import { Assets } from "./assets.ts";
import { addAlerts } from "./pages/alerts.ts";
import { addAudit } from "./pages/audit.ts";
import { addFunction } from "./pages/function.ts";
import { addFunctions } from "./pages/functions.ts";
import { addInvocation } from "./pages/invocation.ts";
import { addLogin } from "./pages/login.ts";
import { addLogs } from "./pages/logs.ts";
import { addMachine } from "./pages/machine.ts";
import { addReleases } from "./pages/releases.ts";
import { addSettings } from "./pages/settings.ts";
import { addUsage } from "./pages/usage.ts";
import { Pages } from "./pages.ts";
import { Traffic } from "./traffic.ts";

const FOR_EVER = "public, max-age=31536000, immutable";

/** The pages of the admin port, for people. What they show and do is what the API does, within the same bounds. */
export function dashboard(control: Control): Hono<Authenticated & { Bindings: HttpBindings }> {
	const app = new Hono<Authenticated & { Bindings: HttpBindings }>();
	const assets = new Assets();
	const pages = new Pages(app, control, assets);
	const traffic = new Traffic(control);
	app.get("/assets/:file", (c) => {
		const asset = assets.at(c.req.path);
		if (asset === null) return c.text("there is no such file", 404);
		const headers = { "content-type": asset.type, "cache-control": FOR_EVER, "x-content-type-options": "nosniff" };
		return c.body(new Uint8Array(asset.content), 200, headers);
	});
	addLogin(pages, control);
	addFunctions(pages, control, traffic);
	addFunction(pages, control, traffic);
	addReleases(pages, control);
	addSettings(pages, control, traffic);
	addLogs(pages, control);
	addInvocation(pages, control);
	addUsage(pages, control);
	addAlerts(pages, control);
	addMachine(pages, control, traffic);
	addAudit(pages, control);
	return app;
}
