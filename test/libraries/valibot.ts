import * as v from "valibot";

const schema = v.object({
	email: v.pipe(v.string(), v.trim(), v.email()),
	size: v.fallback(v.number(), 5),
	kind: v.variant("type", [v.object({ type: v.literal("a"), n: v.number() }), v.object({ type: v.literal("b") })]),
});

export default {
	async fetch(): Promise<Response> {
		const good = v.safeParse(schema, { email: " a@b.co ", size: "x", kind: { type: "a", n: 1 } });
		const bad = v.safeParse(schema, { email: "x", kind: { type: "c" } });
		const later = await v.safeParseAsync(
			v.pipeAsync(
				v.string(),
				v.checkAsync(async (text) => text === "ok"),
			),
			"no",
		);
		return Response.json([good.output, v.flatten(bad.issues as never), later.success]);
	},
};
