import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { temporaryFolder } from "../support/runtime.ts";

/** The programs of docs/embedding.md, by the names that stand at their fences. */
const RECIPES = [...readFileSync("docs/embedding.md", "utf8").matchAll(/^```ts (\S+)\n(.*?)^```$/gms)];

const SHOP = `export default {
	async fetch(request) {
		const { pathname } = new URL(request.url);
		if (pathname !== "/slow") {
			return new Response([request.method, pathname, await request.text(), request.client.ip].join(" "));
		}
		return new Response(new ReadableStream({
			async start(controller) {
				const encoder = new TextEncoder();
				controller.enqueue(encoder.encode("begun "));
				await new Promise((resolve) => setTimeout(resolve, 300));
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
	await writeFile(path, code.replace(/from "atoll(?:-edge)?"/, `from ${JSON.stringify(resolve("src/index.ts"))}`));
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

		const slow = await fetch(`${origin}/shop/slow`);
		const decoder = new TextDecoder();
		let received = "";
		for await (const part of slow.body as ReadableStream<Uint8Array>) {
			if (received === "") child.kill("SIGTERM");
			received += decoder.decode(part);
		}
		assert.equal(received, "begun finished");
		if (child.exitCode === null) await once(child, "exit");
		assert.equal(child.exitCode, 0);
	});
}
