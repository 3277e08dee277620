import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../support/runtime.ts";
import { until } from "../support/until.ts";

/** The programs of docs/embedding.md, by the names that stand at their fences. */
const RECIPES = [...readFileSync("docs/embedding.md", "utf8").matchAll(/^```ts (\S+)\n(.*?)^```$/gms)];

const SHOP = `export default {
	async fetch(request) {
		const { pathname } = new URL(request.url);
		if (request.headers.get("upgrade") === "websocket") {
			const { 0: client, 1: server } = new WebSocketPair();
			server.accept();
			server.addEventListener("message", ({ data }) => server.send(data));
			return new Response(null, { status: 101, webSocket: client });
		}
		if (pathname !== "/slow") {
			return new Response([request.method, pathname, await request.text(), request.client.ip].join(" "));
		}
		return new Response(new ReadableStream({
			async start(controller) {
				const encoder = new TextEncoder();
				controller.enqueue(encoder.encode("begun "));
				await new Promise((resolve) => setTimeout(resolve, 1000));
				controller.enqueue(encoder.encode("finished"));
				controller.close();
			},
		}));
	},
};`;

const folder = temporaryFolder();
const running = new Set<ChildProcess>();

before(async () => {
	await symlink(resolve("node_modules"), join(folder, "node_modules"));
	await writeFile(join(folder, "package.json"), '{ "type": "module" }');
	await writeFile(join(folder, "shop.ts"), SHOP);
});
after(() => {
	for (const child of running) child.kill("SIGKILL");
});

/** Runs a recipe as it stands there, but for where it has atoll from. Gives its address once it listens. */
async function start(name: string, code: string): Promise<{ child: ChildProcess; origin: string }> {
	const path = join(folder, name);
	await writeFile(path, code.replace(/from "atoll-edge"/, `from ${JSON.stringify(resolve("src/index.ts"))}`));
	const child = spawn(process.execPath, [path], {
		cwd: folder,
		env: { ...process.env, PORT: "0" },
		stdio: ["ignore", "pipe", "inherit"],
	});
	running.add(child);
	child.once("exit", () => running.delete(child));
	for await (const line of createInterface({ input: child.stdout })) return { child, origin: line };
	throw new Error(`${name} ended before it listened`);
}

test("there is a recipe for each framework", () => {
	assert.deepEqual(
		RECIPES.map(([, name]) => name),
		["node-http.ts", "express.ts", "fastify.ts", "hono.ts"],
	);
});

for (const [, name, code] of RECIPES) {
	test(`the recipe ${name} mounts a function, and stops under load`, async () => {
		const { child, origin } = await start(name, code);
		const text = async (path: string, init?: RequestInit) => (await fetch(origin + path, init)).text();
		assert.equal(await text("/health"), "well");
		const json = { "content-type": "application/json" };
		const body = '{ "a":  1 }';
		assert.equal(await text("/shop/cart", { method: "POST", headers: json, body }), `POST /cart ${body} 127.0.0.1`);
		const proxied = { "x-forwarded-for": "198.51.100.1, 192.0.2.7" };
		assert.equal(await text("/shop/", { headers: proxied }), "GET /  192.0.2.7");
		const large = "x".repeat(300_000);
		assert.equal((await text("/shop/", { method: "PUT", body: large })).length, `PUT / ${large} 127.0.0.1`.length);

		const socket = code.includes("upgradeHandler") ? await echoing(`${origin.replace("http", "ws")}/shop/ws`) : null;
		const stopping = new AbortController();
		const answered: number[] = new Array(20).fill(0);
		const ask = (_: number, i: number) =>
			loaded(`${origin}/shop/load`, stopping.signal, (response) => {
				answered[i]++;
				// A Response says nothing of its connection: that is Hono's.
				if (response.status === 503 && code.includes("nodeHandler"))
					assert.equal(response.headers.get("connection"), "close");
			});
		const load = Promise.all(answered.map(ask));
		load.catch(() => undefined); // Until it is waited for.
		await until(() => answered.every((count) => count > 0));
		const streams = await Promise.all(Array.from({ length: 10 }, () => fetch(`${origin}/shop/slow`)));
		const slow = await fetch(`${origin}/shop/slow`);
		const decoder = new TextDecoder();
		let received = "";
		for await (const part of slow.body as ReadableStream<Uint8Array>) {
			if (received === "") {
				stopping.abort();
				child.kill("SIGTERM");
			}
			received += decoder.decode(part);
		}
		assert.equal(received, "begun finished");
		for (const stream of streams) assert.equal(await stream.text(), "begun finished");
		await load;
		if (socket !== null && socket.readyState !== socket.CLOSED) await once(socket, "close");
		if (child.exitCode === null) await once(child, "exit");
		assert.equal(child.exitCode, 0);
	});
}

/** A WebSocket of the function's, once it has answered. */
async function echoing(url: string): Promise<WebSocket> {
	const socket = new WebSocket(url);
	await once(socket, "open");
	socket.send("hello");
	const [{ data }] = (await once(socket, "message")) as [MessageEvent];
	assert.equal(data, "hello");
	return socket;
}

/**
 * Asks one request after the other, until the server that is stopping takes no more. Each gets a whole answer, or is
 * told that it is stopping. `onAnswer` is told of each.
 */
async function loaded(url: string, stopping: AbortSignal, onAnswer: (response: Response) => void): Promise<void> {
	const body = "x".repeat(5000);
	for (;;) {
		let response: Response;
		try {
			response = await fetch(url, { method: "POST", body });
		} catch (error) {
			assert.ok(stopping.aborted, `${(error as Error).cause}`);
			return;
		}
		const answer = await response.text();
		onAnswer(response);
		if (response.status === 200) assert.equal(answer, `POST /load ${body} 127.0.0.1`);
		else {
			assert.ok(stopping.aborted);
			assert.equal(response.status, 503);
			assert.equal(JSON.parse(answer).error.code, "shutting_down");
		}
	}
}
