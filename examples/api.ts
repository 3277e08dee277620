// A JSON API that checks what it is sent: curl -d '{"email":"ada@example.com","age":36}' http://api.localhost:8787
import { z } from "zod";

const User = z.object({
	email: z.email(),
	age: z.number().int().min(0).max(150),
});

export default {
	async fetch(request: Request): Promise<Response> {
		if (request.method !== "POST")
			return Response.json({ error: "POST a user" }, { status: 405, headers: { allow: "POST" } });
		const body = await request.json().catch(() => undefined);
		const user = User.safeParse(body);
		if (!user.success) return Response.json({ errors: z.flattenError(user.error).fieldErrors }, { status: 422 });
		return Response.json({ id: crypto.randomUUID(), ...user.data }, { status: 201 });
	},
};
