import { type OpenAPIHono, z } from "@hono/zod-openapi";
import { MOST_PROFILE_REQUESTS, MOST_PROFILE_SECONDS } from "../../limits/profile-bounds.ts";
import type { Control } from "../control.ts";
import type { Authenticated } from "../tokens.ts";
import { addCall } from "./calls.ts";

const profileRequest = z.strictObject({
	seconds: z.number().min(1).max(MOST_PROFILE_SECONDS).default(10).openapi({ description: "How long it takes." }),
	version: z
		.string()
		.min(1)
		.max(100)
		.optional()
		.openapi({ description: "A version by its id or its number; the one with the most traffic if left out." }),
	requests: z
		.int()
		.min(1)
		.max(MOST_PROFILE_REQUESTS)
		.default(MOST_PROFILE_REQUESTS)
		.openapi({ description: "It ends sooner, once so many requests are done." }),
});

/** The call that takes a CPU profile of a function. */
export function addProfileCalls(app: OpenAPIHono<Authenticated>, { catalog, profiles }: Control): void {
	addCall(app, {
		method: "post",
		path: "/tenants/{tenant}/functions/{name}/profiles",
		summary:
			"Takes a CPU profile of a function, while its requests go to a sandbox of the profile's own: a .cpuprofile, mapped into the source",
		scope: "deploy",
		body: profileRequest,
		result: z.looseObject({ nodes: z.array(z.any()), samples: z.array(z.int()), timeDeltas: z.array(z.number()) }),
		perform: async (c, { seconds, version, requests }) => {
			const id = { tenant: c.req.param("tenant") as string, name: c.req.param("name") as string };
			await catalog.find(id);
			const found = version === undefined ? null : (await catalog.version(id, version)).id;
			const bytes = await profiles.take({ function: id, version: found, seconds, requests }, c.req.raw.signal);
			const headers = {
				"content-type": "application/json",
				"content-disposition": 'attachment; filename="profile.cpuprofile"',
				"x-content-type-options": "nosniff",
			};
			return c.body(new Uint8Array(bytes), 200, headers);
		},
	});
}
