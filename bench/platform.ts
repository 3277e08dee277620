import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join, resolve } from "node:path";
import { SqliteStore } from "../src/control/store/sqlite-store.ts";
import type { Change } from "../src/control/store/store.ts";

const TOKEN = "token-of-the-bench";
/** Functions that are written into a store at a time. */
const AT_A_TIME = 500;

/** An `atoll up` on a data folder. */
export class Platform {
	readonly pid: number;
	readonly #port: number;
	readonly #admin: number;
	readonly #agent = new Agent({ keepAlive: true });
	readonly #stop: () => Promise<void>;

	private constructor(pid: number, [port, admin]: number[], stop: () => Promise<void>) {
		this.pid = pid;
		this.#port = port;
		this.#admin = admin;
		this.#stop = stop;
	}

	/** `config` is what `atoll.server.jsonc` says; `onLog` gets what the server writes. */
	static async start(data: string, config: object = {}, onLog: (text: string) => void = () => undefined) {
		const file = join(data, "atoll.server.jsonc");
		writeFileSync(file, JSON.stringify(config));
		const child = spawn(
			process.execPath,
			[resolve("bin/atoll.js"), "up", "--config", file, "--data", data, "--port", "0", "--admin-port", "0"],
			{ env: { ...process.env, ATOLL_ADMIN_TOKEN: TOKEN }, stdio: ["ignore", "pipe", "inherit"] },
		);
		const exited = new Promise((done) => child.once("exit", done));
		let text = "";
		const ports = await new Promise<number[]>((done, reject) => {
			child.stdout.on("end", () => reject(new Error(`the server ended:\n${text}`)));
			// It is read on to the end: its log would stop at a full pipe.
			child.stdout.on("data", (chunk) => {
				onLog(String(chunk));
				text = (text + String(chunk)).slice(-10_000);
				const [, port, admin] = /"port":(\d+),"adminPort":(\d+)/.exec(text) ?? [];
				if (port !== undefined) done([Number(port), Number(admin)]);
			});
		});
		return new Platform(child.pid as number, ports, async () => {
			child.kill("SIGTERM");
			await exited;
		});
	}

	/** Calls the admin API for a function of the tenant `default`. */
	async ask(method: string, path: string, body?: FormData | object): Promise<{ id: string }> {
		const headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` };
		const isForm = body instanceof FormData;
		if (body !== undefined && !isForm) headers["content-type"] = "application/json";
		const response = await fetch(`http://127.0.0.1:${this.#admin}/v1/tenants/default/functions/${path}`, {
			method,
			headers,
			...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
		});
		if (!response.ok) throw new Error(await response.text());
		return (await response.json()) as { id: string };
	}

	upload(name: string, code: string): Promise<{ id: string }> {
		const form = new FormData();
		form.set("metadata", JSON.stringify({ main: "index.js" }));
		form.set("index.js", new File([code], "index.js", { type: "application/javascript+module" }));
		return this.ask("POST", `${name}/versions`, form);
	}

	async release(name: string, version: string): Promise<void> {
		await this.ask("POST", `${name}/releases`, { shares: [{ version, percent: 100 }] });
	}

	/** The status that a function answers with. */
	get(name: string, path = "/"): Promise<number> {
		const headers = { host: `${name}.localhost` };
		return new Promise((done, reject) => {
			request({ port: this.#port, host: "127.0.0.1", path, agent: this.#agent, headers }, (res) =>
				res.resume().on("end", () => done(res.statusCode ?? 0)),
			)
				.on("error", reject)
				.end();
		});
	}

	async stop(): Promise<void> {
		this.#agent.destroy();
		await this.#stop();
	}
}

/** Makes a data folder with functions `f0`, `f1` …: one is deployed, the others are written beside it as it is. */
export async function fill(data: string, count: number, code: string): Promise<void> {
	const server = await Platform.start(data);
	try {
		await server.release("f0", (await server.upload("f0", code)).id);
	} finally {
		await server.stop();
	}
	const store = SqliteStore.open(join(data, "control.sqlite"));
	const one = (await store.get("function", "default/f0"))?.value;
	const [version] = await store.list("version", { prefix: "default/f0/" });
	const [release] = await store.list("release", { prefix: "default/f0/" });
	if (one === undefined) throw new Error("nothing was deployed");
	for (let from = 1; from < count; from += AT_A_TIME) {
		const changes: Change[] = [];
		for (let i = from; i < Math.min(count, from + AT_A_TIME); i++) {
			const name = `f${i}`;
			const own = { tenant: "default", name };
			changes.push(
				{ kind: "function", key: `default/${name}`, value: { ...one, name }, expected: 0 },
				{ kind: "version", key: `default/${name}/${version.value.id}`, value: { ...version.value, name }, expected: 0 },
				{ kind: "release", key: `default/${name}/${release.value.id}`, value: release.value, expected: 0 },
				{ kind: "hostname", key: `${name}.localhost`, value: own, expected: 0 },
			);
		}
		await store.commit({ actor: "bench", action: "fill", target: "" }, changes);
	}
	await store.close();
}
