import type { Control } from "../../control.ts";
import { ControlError } from "../../control-error.ts";
import { html, verbatim } from "../html.ts";
import type { View } from "../layout.ts";
import { ownPath, type Pages, setTheme } from "../pages.ts";

/** How somebody gets in by a token, and out. */
export function addLogin(pages: Pages, { tokens }: Control): void {
	pages.open("get", "/login", (c) => loginView(ownPath(c.req.query("next"))));
	pages.open("post", "/login", async (c) => {
		const form = await c.req.formData();
		const next = ownPath(form.get("next"));
		const { remoteAddress = "" } = c.env.incoming.socket;
		try {
			pages.logIn(c, await tokens.authenticate(`Bearer ${String(form.get("token")).trim()}`, remoteAddress));
		} catch (error) {
			if (!(error instanceof ControlError)) throw error;
			if (error.retryAfter !== undefined) c.header("retry-after", String(error.retryAfter));
			c.status(error.status as 401);
			return loginView(next, error);
		}
		return c.redirect(next, 303);
	});
	pages.post("/logout", (asked) => {
		pages.logOut(asked);
		return asked.c.redirect("/login", 303);
	});
	pages.post("/theme", ({ c }, form) => {
		setTheme(c, form.get("theme"));
		return c.redirect(ownPath(form.get("back")), 303);
	});
}

function loginView(next: string, error?: ControlError): View {
	const problem = error && html`<p class="problem" role="alert" id="problem">${error.message}.</p>`;
	return {
		title: "Log in",
		body: html`<form class="login" method="post" action="/login">
<input type="hidden" name="next" value="${verbatim(next)}">
${problem}
<label for="token">Token</label>
<input id="token" name="token" type="password" required autofocus autocomplete="current-password" spellcheck="false" placeholder="atoll_…"${error ? html` aria-invalid="true" aria-describedby="problem"` : ""}>
<button class="main">Log in</button>
<p class="note">What you see and may do is what the token allows. <code>atoll token create</code> makes one; the session ends with it.</p>
</form>`,
	};
}
