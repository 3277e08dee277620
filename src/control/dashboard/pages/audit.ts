import type { Control } from "../../control.ts";
import { time } from "../format.ts";
import { html } from "../html.ts";
import { table } from "../layout.ts";
import type { Pages } from "../pages.ts";

/** So many of the latest are told. */
const SHOWN = 500;

export function addAudit(pages: Pages, { store }: Control): void {
	pages.get("/audit", async ({ bearer }) => {
		bearer.require("admin", null);
		const rows = (await store.audit(SHOWN)).map(
			({ sequence, time: at, actor, action, target }) =>
				html`<tr><td class="number">${sequence}</td><td>${time(at)}</td><td>${actor}</td><td><code>${action}</code></td><td>${target}</td></tr>`,
		);
		return {
			title: "Audit",
			section: "/audit",
			body: html`<p class="note">Who has changed what: the latest ${SHOWN} commits.</p>
${table("Commits", ["Commit", "Time", "Who", "What", "Of"], rows)}`,
		};
	});
}
