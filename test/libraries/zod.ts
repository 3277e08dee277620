import { z } from "zod";

const user = z.object({
	name: z.string().min(2).max(20),
	email: z.email(),
	age: z.number().int().positive().optional(),
	tags: z.array(z.enum(["a", "b"])).default([]),
	when: z.iso.datetime().transform((text) => new Date(text).getTime()),
	nested: z.discriminatedUnion("kind", [
		z.object({ kind: z.literal("x"), x: z.coerce.number() }),
		z.object({ kind: z.literal("y"), y: z.record(z.string(), z.unknown()) }),
	]),
});

export default {
	fetch(): Response {
		const good = user.safeParse({
			name: "Ada",
			email: "ada@example.com",
			when: "2026-01-01T00:00:00Z",
			nested: { kind: "x", x: "5" },
		});
		const bad = user.safeParse({ name: "A", email: "nope", age: -1.5, tags: ["c"], when: "x", nested: { kind: "z" } });
		return Response.json([
			good.data,
			bad.error?.issues,
			bad.error === undefined ? null : z.prettifyError(bad.error),
			z.toJSONSchema(z.object({ a: z.string().optional() })),
		]);
	},
};
