// A list that lasts: curl -d 'milk' http://todo.localhost:8787, then curl -X PUT http://todo.localhost:8787/1 once it is done
import type { D1Database } from "../../types/index.d.ts";

interface Env {
	DB: D1Database;
}

interface Todo {
	id: number;
	text: string;
	done: number;
}

const TABLE =
	"CREATE TABLE IF NOT EXISTS todos (id INTEGER PRIMARY KEY, text TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0)";
const ADD = "INSERT INTO todos (text) VALUES (?) RETURNING id, text, done";
let made: Promise<unknown> | null = null;

export default {
	async fetch(request: Request, { DB }: Env): Promise<Response> {
		// With a server, `atoll sql migrate` would make it (docs/bindings.md).
		made ??= DB.exec(TABLE);
		await made;
		const id = new URL(request.url).pathname.slice(1);
		switch (request.method) {
			case "GET": {
				const { results } = await DB.prepare("SELECT id, text, done FROM todos ORDER BY done, id").all<Todo>();
				return Response.json(results);
			}
			case "POST": {
				const texts = (await request.text()).split("\n").filter((text) => text !== "");
				// All of them, or none.
				const added = await DB.batch<Todo>(texts.map((text) => DB.prepare(ADD).bind(text)));
				return Response.json(
					added.flatMap(({ results }) => results),
					{ status: 201 },
				);
			}
			case "PUT": {
				const { meta } = await DB.prepare("UPDATE todos SET done = 1 WHERE id = ?").bind(id).run();
				return new Response(null, { status: meta.changes === 0 ? 404 : 204 });
			}
			case "DELETE":
				await DB.prepare("DELETE FROM todos WHERE id = ?").bind(id).run();
				return new Response(null, { status: 204 });
			default:
				return new Response("GET, POST, PUT or DELETE\n", { status: 405 });
		}
	},
};
