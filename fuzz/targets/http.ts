import type { Arena } from "../arena.ts";
import type { Complaint } from "../complaint.ts";
import { converse } from "../conversation.ts";
import { type Client, clients, renderRequests } from "../generators/clients.ts";
import { readAnswers } from "../http-answers.ts";
import type { Target } from "../target.ts";

/** Clients of the server, on many connections at the same time. */
export const http: Target<Client[]> = {
	name: "http",
	cases: clients,
	attempt: (arena, input) =>
		arena.judge(async () => (await Promise.all(input.map((client) => play(arena, client)))).flat(), {
			attackers: "stage",
			ownSandbox: false,
		}),
};

async function play(arena: Arena, { connections, requests, cuts, reads, ending }: Client): Promise<Complaint[]> {
	const text = renderRequests(requests);
	const conversation = { bytes: Buffer.from(text, "latin1"), cuts, reads, ending };
	const received = await Promise.all(Array.from({ length: connections }, () => converse(arena.port, conversation)));
	const most = text.split("\r\n\r\n").length;
	const problems = received.map((bytes) => readAnswers(bytes, most).problem).filter((problem) => problem !== null);
	return problems.slice(0, 1).map((text) => ({ kind: "bad-http", text }));
}
