import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

/** A server under test, in a process of its own. */
export class Contender {
	readonly name: string;
	readonly #child: ChildProcess;
	readonly port: number;
	/** Resolves when the process has ended, which a server may also do by itself. */
	readonly #ended: Promise<unknown>;

	#output = "";

	private constructor(name: string, child: ChildProcess, port: number) {
		child.stdout?.on("data", (chunk: string) => {
			this.#output += chunk;
		});
		// Not `close`, which does not come where this side has closed the channel.
		this.#ended = Promise.all([once(child, "exit"), once(child.stdout as Readable, "close")]);
		this.name = name;
		this.#child = child;
		this.port = port;
	}

	/** Starts a script of `bench/servers/`, which prints `port N` when it is up. */
	static start(
		name: string,
		script: string,
		args: string[] = [],
		env: Record<string, string> = {},
	): Promise<Contender> {
		const child = spawn(process.execPath, [`bench/servers/${script}`, ...args], {
			// It ends with its channel, so that a bench which is itself ended leaves none behind to take a core from the next.
			stdio: ["ignore", "pipe", "inherit", "ipc"],
			env: { ...process.env, ...env },
		});
		return new Promise((resolve, reject) => {
			let output = "";
			let up = false;
			child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
				if (up) return;
				output += chunk;
				const match = /port (\d+)/.exec(output);
				if (match === null) return;
				up = true;
				resolve(new Contender(name, child, Number(match[1])));
			});
			child.on("exit", (code) => reject(new Error(`${name} ended with code ${code}`)));
		});
	}

	get pid(): number {
		return this.#child.pid ?? 0;
	}

	/** Whether it still runs. */
	get alive(): boolean {
		return this.#child.exitCode === null && this.#child.signalCode === null;
	}

	/** What it prints is not read any more. */
	stopReading(): void {
		this.#child.stdout?.pause();
	}

	readOn(): void {
		this.#child.stdout?.resume();
	}

	/** Ends it. Gives what it printed since it was up. */
	async stop(): Promise<string> {
		if (this.#child.connected) this.#child.disconnect();
		await this.#ended;
		return this.#output;
	}
}
