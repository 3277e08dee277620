import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { median } from "./load.ts";

const TOKEN = "token-of-the-bench";
const ROUNDS = 20;
/** So long as a client that bundles a Hono application makes it. */
const PADDING = `/* ${"x".repeat(60_000)} */`;

interface Row {
	step: string;
	ms: number;
	/** Over a cold start of the same function, in the same run. */
	overCold: number;
}

/** What a deployment takes on the server: from an upload to the first answer of the version. */
export async function benchDeploy(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-deploy-"));
	const child = spawn(
		process.execPath,
		[resolve("bin/atoll.js"), "up", "--data", join(folder, "data"), "--port", "0", "--admin-port", "0"],
		{ env: { ...process.env, ATOLL_ADMIN_TOKEN: TOKEN }, stdio: ["ignore", "pipe", "inherit"] },
	);
	const exited = new Promise((done) => child.once("exit", done));
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	try {
		const [port, admin] = await ready(child.stdout);
		const headers = { authorization: `Bearer ${TOKEN}` };
		const ask = async (method: string, path: string, body?: unknown) => {
			const isForm = body instanceof FormData;
			const response = await fetch(`http://127.0.0.1:${admin}/v1/tenants/default/functions/${path}`, {
				method,
				headers: isForm || body === undefined ? headers : { ...headers, "content-type": "application/json" },
				...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
			});
			if (!response.ok) throw new Error(await response.text());
			return (await response.json()) as { id: string };
		};
		const upload = (name: string, mark: string) => {
			const form = new FormData();
			form.set("metadata", JSON.stringify({ main: "index.js" }));
			const code = `${PADDING}\nexport default { fetch: () => new Response(${JSON.stringify(mark)}) };`;
			form.set("index.js", new File([code], "index.js", { type: "application/javascript+module" }));
			return ask("POST", `${name}/versions`, form);
		};
		const get = (name: string) => timed(() => answer(Number(port), `${name}.localhost`, agent));
		const release = (name: string, version: string) =>
			ask("POST", `${name}/releases`, { shares: [{ version, percent: 100 }] });
		// The processes that build are there from now on.
		await release("busy", (await upload("busy", "first")).id);
		const steps: Record<string, number[]> = {
			"cold start": [],
			upload: [],
			release: [],
			"both, and the first answer": [],
		};
		for (let i = 0; i < ROUNDS; i++) {
			// A cold start: of a function that nobody has asked yet.
			const cold = await upload(`cold${i}`, String(i));
			await release(`cold${i}`, cold.id);
			await new Promise((next) => setTimeout(next, 30));
			steps["cold start"].push(await get(`cold${i}`));
			let version = "";
			const uploading = await timed(async () => {
				version = (await upload("busy", `v${i}`)).id;
			});
			const releasing = await timed(() => release("busy", version));
			const answering = await get("busy");
			steps.upload.push(uploading);
			steps.release.push(releasing);
			steps["both, and the first answer"].push(uploading + releasing + answering);
		}
		const cold = median(steps["cold start"]);
		const rows = Object.entries(steps).map(([step, all]) => ({
			step,
			ms: Math.round(median(all) * 10) / 10,
			overCold: Math.round((median(all) / cold) * 10) / 10,
		}));
		console.log(`\nA deployment on the server, medians of ${ROUNDS}\n`);
		console.table(rows);
		return rows;
	} finally {
		agent.destroy();
		child.kill("SIGTERM");
		await exited;
		rmSync(folder, { recursive: true, force: true });
	}
}

function ready(output: NodeJS.ReadableStream): Promise<[string, string]> {
	let text = "";
	return new Promise((done, reject) => {
		output.on("end", () => reject(new Error(`the server ended:\n${text}`)));
		// It is read on to the end: its log would stop at a full pipe.
		output.on("data", (chunk) => {
			text = (text + String(chunk)).slice(-10_000);
			const [, port, admin] = /"port":(\d+),"adminPort":(\d+)/.exec(text) ?? [];
			if (port !== undefined) done([port, admin]);
		});
	});
}

async function timed(work: () => Promise<unknown>): Promise<number> {
	const began = performance.now();
	await work();
	return performance.now() - began;
}

function answer(port: number, host: string, agent: Agent): Promise<void> {
	return new Promise((done, reject) => {
		request({ port, host: "127.0.0.1", agent, headers: { host } }, (res) => res.resume().on("end", () => done()))
			.on("error", reject)
			.end();
	});
}
