import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join, resolve } from "node:path";
import { after } from "node:test";
import { temporaryFolder } from "./runtime.ts";

const bin = resolve("bin/atoll.js");

/** A module that answers with a text, and with what its `env` has of MARK. */
export const say = (text: string) =>
	`export default { fetch: (r, env) => new Response(${JSON.stringify(text)} + (env.MARK ?? "")) };`;
/** Where a server says that it is, with its port. */
export const PORT = /"url":"http:\/\/[^"]*?:(\d+)"/;

export interface Run {
	child: ChildProcess;
	output: () => string;
	/** Resolves when the output holds a text, with what the pattern caught. */
	until(pattern: RegExp): Promise<RegExpExecArray>;
	exit: Promise<number | null>;
}

/** `atoll`, run in a folder that goes when the tests around it are over, and with it whatever still runs. */
export class CommandLine {
	readonly folder = temporaryFolder();
	readonly #children: ChildProcess[] = [];

	constructor() {
		after(() => {
			for (const child of this.#children) child.kill("SIGKILL");
		});
	}

	/** `env` comes on top of this process's own. */
	run(args: string[], env: NodeJS.ProcessEnv = {}): Run {
		const child = spawn(process.execPath, [bin, ...args], {
			cwd: this.folder,
			env: { ...process.env, ...env },
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.#children.push(child);
		let text = "";
		let waiting: (() => void)[] = [];
		const take = (chunk: string) => {
			text += chunk;
			const all = waiting;
			waiting = [];
			for (const one of all) one();
		};
		child.stdout?.setEncoding("utf8").on("data", take);
		child.stderr?.setEncoding("utf8").on("data", take);
		const exit = new Promise<number | null>((done) =>
			child.on("close", (code) => {
				take("");
				done(code);
			}),
		);
		return {
			child,
			output: () => text,
			exit,
			async until(pattern) {
				for (;;) {
					const match = pattern.exec(text);
					if (match !== null) return match;
					if (child.exitCode !== null) throw new Error(`it ended without ${pattern}:\n${text}`);
					await new Promise<void>((more) => waiting.push(more));
				}
			},
		};
	}

	/** Writes files into a folder of its own, and returns that one's path. */
	async write(name: string, files: Record<string, string>): Promise<string> {
		const path = join(this.folder, name);
		for (const [file, content] of Object.entries(files)) {
			await mkdir(join(path, file, ".."), { recursive: true });
			await writeFile(join(path, file), content);
		}
		return path;
	}
}

/** Asks a server on this machine for a host. */
export function get(
	port: number,
	host: string,
	headers: Record<string, string> = {},
	path = "/",
): Promise<{ status: number; text: string }> {
	return new Promise((done, reject) => {
		request({ port, host: "127.0.0.1", path, headers: { host, ...headers }, agent: false }, (res) => {
			let text = "";
			res.setEncoding("utf8").on("data", (chunk: string) => {
				text += chunk;
			});
			res.on("end", () => done({ status: res.statusCode ?? 0, text }));
		})
			.on("error", reject)
			.end();
	});
}
