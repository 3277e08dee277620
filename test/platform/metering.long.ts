import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { startPlatform } from "../support/platform.ts";
import { below, pidBelow } from "../support/process-tree.ts";
import { SteadyLoad } from "../support/steady-load.ts";
import { until } from "../support/until.ts";

interface Row {
	key: string;
	requests: number;
	cpuMs: number;
	gbSeconds: number;
	provisionedGbSeconds: number;
	bytesOut: number;
	bindingCalls: number;
	coldStarts: number;
}

const platform = await startPlatform();
const pidOf = (role: RegExp): number => pidBelow(platform.supervisor.child.pid as number, role);
const EDGE = /src\/edge\/main/;
const CONTROL = /src\/control\/main/;
const SAYS = "export default { fetch: () => new Response('0123456789'), scheduled() {} };";

async function usage(path: string): Promise<Row[]> {
	const { status, body } = await platform.api("GET", `/v1/${path}`);
	assert.equal(status, 200, JSON.stringify(body));
	return (body as { rows: Row[] }).rows;
}

/** How many invocations there were of each function. */
async function counted(): Promise<Record<string, number>> {
	const rows = await usage("usage?by=function").catch(() => []);
	return Object.fromEntries(rows.map(({ key, requests }) => [key, requests]));
}

const hostOf = (key: string) => `${key.split("/").reverse().join(".")}.localhost`.replace(".default.", ".");
const FUNCTIONS = ["acme/one", "acme/two", "default/three"];
const sent: Record<string, number> = Object.fromEntries(FUNCTIONS.map((key) => [key, 0]));

/** So many requests to each function, one after the other, each of them answered. */
async function ask(times: number): Promise<void> {
	await Promise.all(
		FUNCTIONS.map(async (key) => {
			for (let i = 0; i < times; i++) {
				assert.equal((await platform.get(hostOf(key))).text, "0123456789");
				sent[key]++;
			}
		}),
	);
}
/** All that was answered, and nothing else, is what is told. */
const isExact = () => until(async () => JSON.stringify(await counted()) === JSON.stringify(sent));

test("what was sent is what is told, by tenant, function and day", async () => {
	for (const key of FUNCTIONS) {
		const [tenant, name] = key.split("/");
		await platform.deploy(name, SAYS, "--tenant", tenant);
	}
	await ask(20);
	for (let i = 0; i < 3; i++) {
		assert.equal((await platform.atoll("trigger", "cron", "one", "--tenant", "acme")).code, 0);
		sent["acme/one"]++;
	}
	await isExact();
	const [one] = await usage("tenants/acme/usage?by=function");
	assert.equal(one.key, "acme/one");
	assert.equal(one.bytesOut, 200);
	assert.ok(one.cpuMs > 0 && one.gbSeconds > 0, JSON.stringify(one));
	assert.equal(one.provisionedGbSeconds, 0);
	const [total, ...others] = await usage("tenants/acme/usage");
	assert.equal(total.key, new Date().toISOString().slice(0, 10));
	assert.deepEqual([total.requests, others.length], [43, 0]);
	// Nobody's functions, and nobody's bill.
	assert.equal((await platform.get("nothing.localhost")).status, 404);
	const tenants = await usage("usage?by=tenant");
	assert.deepEqual(
		tenants.map(({ key, requests }) => [key, requests]),
		[
			["acme", 43],
			["default", 20],
		],
	);
});

test("what is held ready is told apart from what is used", async () => {
	const settings = { provisioned: 1 };
	const { status } = await platform.api("PATCH", "/v1/tenants/acme/functions/two", settings);
	assert.equal(status, 200);
	const held = async () => (await usage("usage?by=function")).map((row) => row.provisionedGbSeconds);
	await until(async () => (await held())[1] >= 0.125);
	const [one, , three] = await held();
	assert.deepEqual([one, three], [0, 0]);
	await platform.api("PATCH", "/v1/tenants/acme/functions/two", { provisioned: 0 });
});

test("control is killed amid requests, and nothing is lost or counted twice", async () => {
	const asked = ask(100);
	await until(() => sent["acme/one"] > 40);
	process.kill(pidOf(CONTROL), "SIGKILL");
	await asked;
	await ask(5);
	await isExact();
});

test("an edge is killed between requests, and nothing is lost or counted twice", async () => {
	await ask(20);
	process.kill(pidOf(EDGE), "SIGKILL");
	await ask(20);
	await isExact();
	// Its isolates went with it.
	for (const { key, coldStarts } of await usage("usage?by=function")) assert.ok(coldStarts > 0, key);
});

test("an edge is killed under load: what was in flight may miss, and nothing else", async () => {
	const connections = 8;
	const before = (await counted())["default/three"];
	const load = new SteadyLoad(platform.port, hostOf("default/three"), connections);
	await load.more(200);
	process.kill(pidOf(EDGE), "SIGKILL");
	await load.more(200);
	await load.end();
	const answered = load.answers["200 0123456789"];
	const failed = load.samples.length - answered;
	await until(async () => (await counted())["default/three"] - before >= answered - connections);
	const more = (await counted())["default/three"] - before;
	assert.ok(more >= answered - connections && more <= answered + failed, `${more} of ${answered}, ${failed} failed`);
	sent["default/three"] = before + more;
});

test("the supervisor is killed, and with it all ends and begins again", async () => {
	await ask(20);
	const all = below(platform.supervisor.child.pid as number).map(({ pid }) => pid);
	platform.supervisor.child.kill("SIGKILL");
	await platform.supervisor.exit;
	const isRunning = (pid: number) => {
		try {
			return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
		} catch {
			return false;
		}
	};
	await until(() => !all.some(isRunning));
	await platform.up();
	await ask(5);
	await isExact();
});

test("both processes are replaced under load, and no request is lost or counted twice", async () => {
	const asked = ask(150);
	await until(() => sent["acme/one"] > 0);
	process.kill(platform.supervisor.child.pid as number, "SIGHUP");
	await platform.supervisor.until(/"msg":"restarted"/);
	await asked;
	await isExact();
});

test("a stop loses nothing", async () => {
	await ask(30);
	assert.equal(await platform.stop(), 0);
	await platform.up();
	await isExact();
});
