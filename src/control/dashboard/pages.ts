import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { SESSION_COOKIE } from "../../http/session-cookie.ts";
import type { Bytes } from "../../units.ts";
import type { Control } from "../control.ts";
import { ControlError } from "../control-error.ts";
import type { Authenticated, Bearer } from "../tokens.ts";
import type { Assets } from "./assets.ts";
import { html, verbatim } from "./html.ts";
import { document, THEMES, type Theme, type View } from "./layout.ts";
import type { Session } from "./sessions.ts";

export type C = Context<Authenticated & { Bindings: HttpBindings }>;
type App = Hono<Authenticated & { Bindings: HttpBindings }>;

/** What a page is made of: who asks, and for what. */
export interface Asked {
	c: C;
	control: Control;
	bearer: Bearer;
	session: Session;
}

/** Pages load nothing from elsewhere, run no script that stands in them, and are in nobody's frame. */
const POLICY = [
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"connect-src 'self'",
	"img-src 'self' data:",
	"frame-ancestors 'none'",
	"base-uri 'none'",
	"form-action 'self'",
].join("; ");

/** A form of the dashboard has so many bytes at most. */
const MOST_FORM: Bytes = 64 * 1024;

/** Over TLS no other host, and no page of a subdomain, can set it: https://datatracker.ietf.org/doc/html/rfc6265#section-4.1 */
const SECURE_COOKIE = `__Host-${SESSION_COOKIE}`;
const THEME_COOKIE = "atoll_theme";

/** Adds pages to an app, each of which checks who asks before anything else is done. */
export class Pages {
	readonly #app: App;
	readonly #control: Control;
	readonly #assets: Assets;

	constructor(app: App, control: Control, assets: Assets) {
		this.#app = app;
		this.#control = control;
		this.#assets = assets;
	}

	/** A page, or what one of them asks for. */
	get(path: string, perform: (asked: Asked) => Promise<View | Response> | View | Response): void {
		this.#app.get(path, async (c) => {
			protect(c);
			if (!isNavigation(c)) return c.text("this is for the dashboard's own pages", 403);
			const session = await this.#sessionOf(c);
			if (session === null)
				return isFromElsewhere(c) ? again(c) : c.redirect(`/login?next=${encodeURIComponent(pathOf(c))}`, 303);
			this.#renew(c, session);
			return this.#answer(c, session, () => perform(this.#askedOf(c, session)));
		});
	}

	/** What a form of a page does. */
	post(path: string, perform: (asked: Asked, form: FormData) => Promise<View | Response> | Response): void {
		this.#app.post(path, bounded, async (c) => {
			protect(c);
			const session = await this.#sessionOf(c);
			if (session === null) return c.redirect("/login", 303);
			return this.#answer(c, session, async () => {
				requireOwn(c);
				const form = await c.req.formData();
				if (!this.#control.sessions.isOwnForm(session, form.get("form")))
					throw new ControlError("forbidden", "the form is of an earlier session: load its page again");
				return perform(this.#askedOf(c, session), form);
			});
		});
	}

	/** A page for whoever has not logged in. */
	open(method: "get" | "post", path: string, perform: (c: C) => Promise<View | Response> | View | Response): void {
		this.#app.on(method.toUpperCase(), path, bounded, async (c) => {
			protect(c);
			return this.#answer(c, null, () => {
				if (method === "post") requireOwn(c);
				return perform(c);
			});
		});
	}

	/** Somebody has shown a token: from now on their cookie is enough. */
	logIn(c: C, bearer: Bearer): void {
		this.#setSession(c, this.#control.sessions.begin(bearer));
	}

	logOut({ c, session }: Asked): void {
		this.#control.sessions.end(session);
		this.#setSession(c, "");
	}

	async #answer(c: C, session: Session | null, perform: () => Promise<View | Response> | View | Response) {
		try {
			const done = await perform();
			return done instanceof Response ? done : this.#show(c, session, done);
		} catch (error) {
			const told =
				error instanceof ControlError ? error : new ControlError("internal", "the server failed; its log says why");
			if (told !== error)
				this.#control.log("error", `${c.req.method} ${c.req.path}: ${String((error as Error).stack)}`);
			if (told.retryAfter !== undefined) c.header("retry-after", String(told.retryAfter));
			c.status(told.status as ContentfulStatusCode);
			return this.#show(c, session, problemView(told));
		}
	}

	#show(c: C, session: Session | null, view: View): Response {
		const viewer = session && {
			bearer: session.bearer,
			formToken: session.formToken,
			theme: themeOf(c),
			path: pathOf(c),
		};
		return c.html(document(this.#assets, view, viewer));
	}

	#askedOf(c: C, session: Session): Asked {
		c.set("bearer", session.bearer);
		return { c, control: this.#control, bearer: session.bearer, session };
	}

	#sessionOf(c: C): Promise<Session | null> {
		return this.#control.sessions.find(getCookie(c, isSecure(c) ? SECURE_COOKIE : SESSION_COOKIE));
	}

	/** Somebody is at work as long as they open pages: what a page asks for by itself says nothing of that. */
	#renew(c: C, session: Session): void {
		if (c.req.header("sec-fetch-dest") === "empty") return;
		const cookie = this.#control.sessions.renewed(session);
		if (cookie !== null) this.#setSession(c, cookie);
	}

	#setSession(c: C, value: string): void {
		const secure = isSecure(c);
		const gone = value === "" ? { maxAge: 0 } : {};
		setCookie(c, secure ? SECURE_COOKIE : SESSION_COOKIE, value, {
			path: "/",
			httpOnly: true,
			sameSite: "Strict",
			secure,
			...gone,
		});
	}
}

const bounded = bodyLimit({
	maxSize: MOST_FORM,
	onError: (c) => {
		c.header("connection", "close");
		return c.text("a form may have 64 KB at most", 413);
	},
});

/** Headers of all that the dashboard answers. */
function protect(c: C): void {
	c.header("content-security-policy", POLICY);
	c.header("x-content-type-options", "nosniff");
	c.header("referrer-policy", "same-origin");
	c.header("cross-origin-opener-policy", "same-origin");
	c.header("cross-origin-resource-policy", "same-origin");
	c.header("cache-control", "no-store");
}

/** Throws ControlError `forbidden` for what another site's page, or a neighbour's on the same one, had sent. */
function requireOwn(c: C): void {
	const site = c.req.header("sec-fetch-site");
	const origin = c.req.header("origin");
	// Browsers say the first over TLS and on the machine itself, and the second with every form.
	const isOwn = site === undefined ? URL.parse(origin ?? "")?.host === c.req.header("host") : site === "same-origin";
	if (!isOwn) throw new ControlError("forbidden", "this form was sent by another site's page");
}

/** Whether somebody opens a page, or one of the dashboard's pages asks: other sites' scripts may not even have it run. */
function isNavigation(c: C): boolean {
	const site = c.req.header("sec-fetch-site");
	if (site === undefined || site === "same-origin" || site === "none") return true;
	return c.req.header("sec-fetch-dest") === "document";
}

/** Whether a link of another site has led here, say of a chat: browsers send no strict cookie then. */
const isFromElsewhere = (c: C) => ["cross-site", "same-site"].includes(c.req.header("sec-fetch-site") ?? "");

/** Has the browser ask for the page once more, from this site. */
function again(c: C): Response {
	const path = ownPath(pathOf(c));
	return c.html(
		`<!doctype html>${html`<meta http-equiv="refresh" content="0;url=${verbatim(path)}"><a href="${verbatim(path)}">Go on</a>`}`,
	);
}

/** Whether the browser speaks TLS: the proxy in front says so. */
function isSecure(c: C): boolean {
	return /^https\b/i.test(c.req.header("x-forwarded-proto") ?? "");
}

function themeOf(c: C): Theme {
	return THEMES.find((theme) => theme === getCookie(c, THEME_COOKIE)) ?? "auto";
}

export function setTheme(c: C, theme: unknown): void {
	const known = THEMES.find((one) => one === theme) ?? "auto";
	setCookie(c, THEME_COOKIE, known, { path: "/", httpOnly: true, sameSite: "Strict", maxAge: 365 * 86_400 });
}

const pathOf = (c: C) => `${new URL(c.req.url).pathname}${new URL(c.req.url).search}`;

/** A path of this server that somebody was to be led to; `/` for all else. */
export function ownPath(text: unknown): string {
	const base = "http://dashboard.invalid";
	const url = URL.parse(String(text ?? "/"), base);
	return url === null || url.origin !== base ? "/" : `${url.pathname.replace(/^\/+/, "/")}${url.search}`;
}

function problemView({ status, code, message }: ControlError): View {
	return {
		title: code.replaceAll("_", " "),
		body: html`<p>${status}: ${message}.</p><p><a href="/">All functions</a></p>`,
	};
}
