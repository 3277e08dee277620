import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Agent, type RequestOptions, request } from "node:http";
import { join, resolve } from "node:path";
import { SqliteStore } from "../src/control/store/sqlite-store.ts";
import type { Change } from "../src/control/store/store.ts";
import type { LogResult } from "../src/logs/calls.ts";

const TOKEN = "token-of-the-bench";
/** Functions that are written into a store at a time. */
const AT_A_TIME = 500;

/** What a request comes with. */
interface Body {
	type: string;
	bytes: Buffer;
}

/** The form by which a module is uploaded. */
export async function uploadOf(code: string): Promise<Body> {
	const form = new FormData();
	form.set("metadata", JSON.stringify({ main: "index.js" }));
	form.set("index.js", new File([code], "index.js", { type: "application/javascript+module" }));
	const encoded = new Response(form);
	return { type: encoded.headers.get("content-type") ?? "", bytes: Buffer.from(await encoded.arrayBuffer()) };
}

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

	/** Calls the admin API for a function. */
	async ask(method: string, path: string, { type, bytes }: Body, tenant = "default"): Promise<{ id: string }> {
		const headers = { "content-type": type, "content-length": bytes.length };
		return this.#call({ method, path: `/v1/tenants/${tenant}/functions/${path}`, headers }, bytes);
	}

	/** What the log has of a tenant within the last hour; with a cursor, the next page of it. */
	async query(tenant: string, query: string, cursor: string | null = null): Promise<LogResult> {
		const params = new URLSearchParams({ query, ...(cursor !== null && { cursor }) });
		return this.#call({ method: "GET", path: `/v1/tenants/${tenant}/logs?${params}` });
	}

	async #call<Answer>({ headers, ...to }: RequestOptions, body?: Buffer): Promise<Answer> {
		const own = { ...headers, authorization: `Bearer ${TOKEN}` };
		const { status, text } = await this.#send({ ...to, port: this.#admin, headers: own }, body);
		if (status !== 200) throw new Error(text);
		return JSON.parse(text) as Answer;
	}

	async upload(name: string, code: string, tenant?: string): Promise<{ id: string }> {
		return this.ask("POST", `${name}/versions`, await uploadOf(code), tenant);
	}

	async release(name: string, version: string, tenant?: string): Promise<void> {
		const bytes = Buffer.from(JSON.stringify({ shares: [{ version, percent: 100 }] }));
		await this.ask("POST", `${name}/releases`, { type: "application/json", bytes }, tenant);
	}

	/** The status that a function answers with, which is at `<name>.localhost`, or `<name>.<tenant>.localhost`. */
	async get(name: string, path = "/"): Promise<number> {
		return (await this.#send({ port: this.#port, path, headers: { host: `${name}.localhost` } })).status;
	}

	/** By `node:http`: of what is measured a client is to be as little as it can. */
	#send(to: RequestOptions, body?: Buffer): Promise<{ status: number; text: string }> {
		return new Promise((done, reject) => {
			request({ host: "127.0.0.1", agent: this.#agent, ...to }, (res) => {
				let text = "";
				res.setEncoding("utf8");
				res.on("data", (chunk) => {
					text += chunk;
				});
				res.on("end", () => done({ status: res.statusCode ?? 0, text }));
			})
				.on("error", reject)
				.end(body);
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
