import assert from "node:assert/strict";
import { test } from "node:test";
import ivm from "isolated-vm";
import { loadPrelude } from "../../src/build/prelude.ts";
import { Entry } from "../../src/isolates/lent.ts";
import { Kind } from "../../src/link/messages.ts";
import { countCalls } from "../support/counted-prelude.ts";
import { hostOf, IMAGE, REQUEST } from "../support/isolate-host.ts";

/**
 * What handlers do, how many calls of the prelude's functions their request may take in all, and how many of the
 * sandbox's. The figures are today's: whoever lowers what a request takes lowers them.
 */
const MOST: Record<string, { handler: string; calls: number; lent: number }> = {
	"a new response": { handler: `() => new Response("x")`, calls: 26, lent: 1 },
	"the request's url": { handler: `(request) => new Response(request.url)`, calls: 27, lent: 1 },
	"a parsed URL": { handler: `(request) => new Response(new URL(request.url).pathname)`, calls: 33, lent: 2 },
	"a request's header": { handler: `(request) => new Response(request.headers.get("accept"))`, calls: 38, lent: 1 },
	"headers of a response": {
		handler: `() => new Response("x", { headers: { "x-a": "1", "x-b": "2" } })`,
		calls: 48,
		lent: 1,
	},
	"a response made of another's body": {
		handler: `() => { const one = new Response("x"); return new Response(one.body, one); }`,
		calls: 50,
		lent: 1,
	},
	"an async handler": { handler: `async () => { await null; return new Response("x"); }`, calls: 26, lent: 1 },
	"a response in JSON": { handler: `() => Response.json({ ok: true })`, calls: 29, lent: 1 },
};

let snapshot: Uint8Array | null = null;

async function countedSnapshot(): Promise<Uint8Array> {
	const { code, warmUp } = await loadPrelude();
	const made = ivm.Isolate.createSnapshot([{ code: countCalls(code), filename: "atoll:prelude" }], warmUp);
	return new Uint8Array(made.copy());
}

for (const [name, { handler, calls, lent }] of Object.entries(MOST))
	test(`what a request takes: ${name}`, async ({ mock }) => {
		snapshot ??= await countedSnapshot();
		const counts: number[] = [];
		let ended: () => void = () => undefined;
		const messages: Kind[] = [];
		const source = `const handler = ${handler};
			__atoll_exports({ default: { fetch(request, env, ctx) {
				if (request.method === "GET") return handler(request, env, ctx);
				return new Response(null, { headers: { "x-calls": String(__calls.count) } });
			} } });`;
		const { start } = await hostOf(
			{
				message: (_version, _attempt, { kind, text }) => {
					messages.push(kind);
					const count = /\nx-calls\n(\d+)/.exec(text)?.[1];
					if (count !== undefined) counts.push(Number(count));
				},
				done: () => ended(),
			},
			{ image: { ...IMAGE, code: Buffer.from(source) }, snapshot },
		);
		const ask = (head = REQUEST) =>
			new Promise<void>((resolve) => {
				ended = resolve;
				start(1, head);
			});
		/** What the prelude has called by now, and the same again. */
		const read = () => ask({ ...REQUEST, method: "PUT" });
		await ask();
		await read();
		await read();
		const own = counts[1] - counts[0];
		const lending = mock.method(Entry.prototype, "add");
		messages.length = 0;
		await ask();
		const called = lending.mock.callCount();
		assert.deepEqual(messages, [Kind.response]);
		await read();
		const taken = counts[2] - counts[1] - own;
		assert.ok(taken > 0 && taken <= calls, `${taken} calls, where ${calls} were enough`);
		assert.ok(called <= lent, `${called} calls of the sandbox's functions, where ${lent} were enough`);
	});
