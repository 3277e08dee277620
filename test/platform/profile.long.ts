import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { cpuProfile } from "../../src/link/cpu-profile.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { below } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const platform = await startPlatform();
const { line } = platform;

const HOT = `/** Sums things up, slowly. */
export interface Sum { value: number }

export function hotSum(rounds: number): Sum {
	let value = 0;
	for (let i = 0; i < rounds; i++) value = (value * 31 + i) % 1_000_003;
	return { value };
}
`;
const SHOP = `import { hotSum } from "./sums.ts";

export default {
	fetch(request: Request): Response {
		const rounds: number = Number(new URL(request.url).searchParams.get("rounds") ?? 1_000_000);
		return Response.json(hotSum(rounds));
	},
};
`;
const folder = await line.write("shop", { "index.ts": SHOP, "sums.ts": HOT });
await platform.atoll("deploy", folder, "--name", "shop");
await platform.deploy("calm", `export default { fetch: () => new Response("calm") };`);
await platform.deploy("endless", `export default { fetch() { for (;;); } };`);
const hog = await line.write("hog", {
	"index.js":
		"const all = []; export default { fetch() { all.push(new Uint8Array(4 << 20).fill(7)); return new Response(); } };",
	"atoll.jsonc": JSON.stringify({ name: "hog", limits: { memoryMb: 16 } }),
});
await platform.atoll("deploy", hog);

/** Asks one function after another for as long as something goes on. */
async function while_<T>(what: Promise<T>, ask: () => Promise<unknown>): Promise<T> {
	let over = false;
	const done = what.finally(() => {
		over = true;
	});
	done.catch(() => undefined);
	while (!over) await ask();
	return done;
}

/** How many processes there are of sandboxes; a helper may start meanwhile, for a stack. */
const sandboxes = () =>
	below(platform.supervisor.child.pid as number).filter(({ command }) => command.includes("isolates-main")).length;

const profileOf = (name: string, body: object, token = TOKEN) =>
	platform.api("POST", `/v1/tenants/default/functions/${name}/profiles`, body, token);

test("the hottest function of a profile is the source's, at its line, and neighbours are answered meanwhile", async () => {
	const output = join(line.folder, "shop.cpuprofile");
	let asked = 0;
	const { code, output: said } = await while_(
		platform.atoll("profile", "shop", "--seconds", "4", "--output", output),
		async () => {
			const [hot, calm] = await Promise.all([platform.get("shop.localhost"), platform.get("calm.localhost")]);
			assert.deepEqual([hot.status, calm.status, calm.text], [200, 200, "calm"]);
			asked++;
		},
	);
	assert.equal(code, 0, said);
	assert.ok(asked > 10);
	assert.match(said, /hotSum +\S*sums\.ts:4\n/);
	assert.match(said, /shop\.cpuprofile: open it in Chrome/);
	const profile = cpuProfile.parse(JSON.parse(await readFile(output, "utf8")));
	const [hottest] = profile.nodes.toSorted((a, b) => b.hitCount - a.hitCount);
	const { functionName, url, lineNumber } = hottest.callFrame;
	assert.equal(functionName, "hotSum");
	assert.match(url, /sums\.ts$/);
	assert.equal(lineNumber, 3);
	assert.ok(
		(hottest.positionTicks ?? []).every(({ line: at }) => at >= 4 && at <= 8),
		JSON.stringify(hottest),
	);
});

test("a profile ends once as many requests are done as were asked for, and JSON has its summary", async () => {
	const output = join(line.folder, "few.cpuprofile");
	const { code, output: said } = await while_(
		platform.atoll("profile", "shop", "--seconds", "60", "--requests", "5", "--json", "--output", output),
		() => platform.get("shop.localhost"),
	);
	assert.equal(code, 0, said);
	const { top, busyMs } = JSON.parse(said.slice(said.indexOf("{"))) as { top: { function: string }[]; busyMs: number };
	assert.equal(top[0].function, "hotSum");
	assert.ok(busyMs > 0);
});

test("an endless loop is what the profile shows, and nothing of it is left", async () => {
	const before = sandboxes();
	const { status, body } = await while_(profileOf("endless", { seconds: 2 }), async () => {
		const [, calm] = await Promise.all([platform.get("endless.localhost"), platform.get("calm.localhost")]);
		assert.equal(calm.text, "calm");
	});
	assert.equal(status, 200, JSON.stringify(body));
	const [hottest] = cpuProfile.parse(body).nodes.toSorted((a, b) => b.hitCount - a.hitCount);
	assert.match(hottest.callFrame.url, /index\.js$/);
	assert.equal(hottest.callFrame.functionName, "fetch");
	await until(() => sandboxes() <= before);
});

test("what allocates without end ends the profile, which is told, and is not held against the function", async () => {
	const before = sandboxes();
	const { status, body } = await while_(profileOf("hog", { seconds: 20 }), async () => {
		const [, calm] = await Promise.all([platform.get("hog.localhost"), platform.get("calm.localhost")]);
		assert.equal(calm.text, "calm");
	});
	assert.equal(status, 422, JSON.stringify(body));
	const { code, detail } = body as { code: string; detail: string };
	assert.equal(code, "profile_failed");
	assert.match(detail, /sandbox was lost: it grew to \d+ MB/);
	await until(() => sandboxes() <= before);
	assert.doesNotMatch((await platform.get("hog.localhost")).text, /quarantined/);
});

test("whoever may not change a function takes no profile of it, and of what makes no sense there is none", async () => {
	const tokenFor = async (grant: object) => {
		const { body } = await platform.api("POST", "/v1/tokens", { label: "one", ...grant });
		return (body as { token: string }).token;
	};
	const reader = await tokenFor({ scope: "read" });
	const stranger = await tokenFor({ scope: "deploy", tenant: "acme" });
	const held = await tokenFor({ scope: "deploy", tenant: "default", functions: ["calm"] });
	for (const token of [reader, stranger, held]) assert.equal((await profileOf("shop", {}, token)).status, 403);
	assert.equal((await profileOf("nobody", {})).status, 404);
	assert.equal((await profileOf("shop", { version: "77" })).status, 404);
	for (const body of [{ seconds: 61 }, { seconds: 0 }, { requests: 0 }, { second: 1 }, { seconds: "1" }])
		assert.equal((await profileOf("shop", body)).status, 400, JSON.stringify(body));
});

test("one profile of a tenant's is taken at a time, and none for who has gone", async () => {
	const before = sandboxes();
	const abort = new AbortController();
	const url = `http://127.0.0.1:${platform.adminPort}/v1/tenants/default/functions/calm/profiles`;
	const asked = fetch(url, {
		...{ method: "POST", signal: abort.signal, body: JSON.stringify({ seconds: 60 }) },
		headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
	});
	asked.catch(() => undefined);
	await until(() => sandboxes() > before);
	const { status, body } = await profileOf("shop", { seconds: 1 });
	assert.equal(status, 429, JSON.stringify(body));
	abort.abort();
	await until(() => sandboxes() <= before);
	await until(async () => (await profileOf("shop", { seconds: 1, requests: 1 })).status === 200);
});
