import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SqliteStore } from "../src/control/store/sqlite-store.ts";
import type { Change } from "../src/control/store/store.ts";
import { median } from "./load.ts";

const TOKEN = "token-of-the-bench";
const ROUNDS = 5;
const COUNTS = [1, 100, 10_000];
/** Functions that are written into a store at a time. */
const AT_A_TIME = 500;

interface Row {
	functions: number;
	/** From the start of `atoll up` until it says that it is ready, in ms. */
	ready: number;
	/** From its start to the first answer of one of them, in ms. */
	firstAnswer: number;
	/** A process of Node that does nothing, in the same run, in ms. */
	node: number;
}

/** What it takes `atoll up` to start, by the number of functions that it has. */
export async function benchStart(): Promise<Row[]> {
	const folders = new Map<number, string>();
	const samples = new Map<number, Omit<Row, "functions">[]>(COUNTS.map((count) => [count, []]));
	try {
		for (const count of COUNTS) {
			const folder = mkdtempSync(join(tmpdir(), "atoll-bench-start-"));
			folders.set(count, folder);
			await fill(folder, count);
		}
		for (let round = 0; round < ROUNDS; round++)
			for (const [count, folder] of folders) samples.get(count)?.push(await start(folder, count));
	} finally {
		for (const folder of folders.values()) rmSync(folder, { recursive: true, force: true });
	}
	const rows = [...samples].map(([functions, all]): Row => {
		const of = (key: keyof Omit<Row, "functions">) => Math.round(median(all.map((one) => one[key])));
		return { functions, ready: of("ready"), firstAnswer: of("firstAnswer"), node: of("node") };
	});
	console.log(`\nA start of \`atoll up\`, medians of ${ROUNDS} in ms\n`);
	console.table(rows);
	return rows;
}

/** A data folder with so many functions: one is deployed, the others are written beside it as it is. */
async function fill(folder: string, count: number): Promise<void> {
	const server = await Server.start(folder);
	try {
		const form = new FormData();
		form.set("metadata", JSON.stringify({ main: "index.js" }));
		const code = 'export default { fetch: () => new Response("hello") };';
		form.set("index.js", new File([code], "index.js", { type: "application/javascript+module" }));
		const { id } = (await server.ask("POST", "functions/f0/versions", form)) as { id: string };
		await server.ask("POST", "functions/f0/releases", JSON.stringify({ shares: [{ version: id, percent: 100 }] }));
	} finally {
		await server.stop();
	}
	const store = SqliteStore.open(join(folder, "control.sqlite"));
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

async function start(folder: string, count: number): Promise<Omit<Row, "functions">> {
	const before = performance.now();
	await new Promise((done) => spawn(process.execPath, ["-e", "0"]).once("exit", done));
	const node = performance.now() - before;
	const from = performance.now();
	const server = await Server.start(folder);
	try {
		const ready = performance.now() - from;
		const status = await server.get(`f${Math.floor(count / 2)}.localhost`);
		const firstAnswer = performance.now() - from;
		if (status !== 200) throw new Error(`the first answer was ${status}`);
		return { ready, firstAnswer, node };
	} finally {
		await server.stop();
	}
}

/** An `atoll up` on a data folder. */
class Server {
	readonly #stop: () => Promise<void>;
	readonly #port: number;
	readonly #admin: number;

	private constructor(port: number, admin: number, stop: () => Promise<void>) {
		this.#port = port;
		this.#admin = admin;
		this.#stop = stop;
	}

	static async start(folder: string): Promise<Server> {
		const child = spawn(
			process.execPath,
			[resolve("bin/atoll.js"), "up", "--data", folder, "--port", "0", "--admin-port", "0"],
			{ env: { ...process.env, ATOLL_ADMIN_TOKEN: TOKEN }, stdio: ["ignore", "pipe", "inherit"] },
		);
		const exited = new Promise((done) => child.once("exit", done));
		let text = "";
		const [port, admin] = await new Promise<number[]>((done, reject) => {
			child.stdout.on("end", () => reject(new Error(`the server ended:\n${text}`)));
			child.stdout.on("data", (chunk) => {
				text = (text + String(chunk)).slice(-10_000);
				const [, own, admins] = /"port":(\d+),"adminPort":(\d+)/.exec(text) ?? [];
				if (own !== undefined) done([Number(own), Number(admins)]);
			});
		});
		return new Server(port, admin, async () => {
			child.kill("SIGTERM");
			await exited;
		});
	}

	async ask(method: string, path: string, body?: FormData | string): Promise<unknown> {
		const headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` };
		if (typeof body === "string") headers["content-type"] = "application/json";
		const url = `http://127.0.0.1:${this.#admin}/v1/tenants/default/${path}`;
		const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
		if (!response.ok) throw new Error(await response.text());
		return response.json();
	}

	get(host: string): Promise<number | undefined> {
		return new Promise((done, reject) => {
			request({ port: this.#port, host: "127.0.0.1", headers: { host } }, (res) =>
				res.resume().on("end", () => done(res.statusCode)),
			)
				.on("error", reject)
				.end();
		});
	}

	stop(): Promise<void> {
		return this.#stop();
	}
}
