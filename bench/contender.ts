import { type ChildProcess, spawn } from "node:child_process";

/** A server under test, in a process of its own. */
export class Contender {
	readonly name: string;
	readonly #child: ChildProcess;
	readonly port: number;

	private constructor(name: string, child: ChildProcess, port: number) {
		this.name = name;
		this.#child = child;
		this.port = port;
	}

	/** Starts a script of `bench/servers/`, which prints `port N` when it is up. */
	static start(name: string, script: string, args: string[] = []): Promise<Contender> {
		const child = spawn(process.execPath, [`bench/servers/${script}`, ...args], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		return new Promise((resolve, reject) => {
			let output = "";
			child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
				output += chunk;
				const match = /port (\d+)/.exec(output);
				if (match !== null) resolve(new Contender(name, child, Number(match[1])));
			});
			child.on("exit", (code) => reject(new Error(`${name} ended with code ${code}`)));
		});
	}

	async stop(): Promise<void> {
		const exited = new Promise((resolve) => this.#child.on("exit", resolve));
		this.#child.kill("SIGTERM");
		await exited;
	}
}
