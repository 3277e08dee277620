import { Agent, get } from "node:http";

/** One answer of a function under load, or the error instead of it. */
export interface Sample {
	/** The status and the text, or the error's code. */
	answer: string;
	/** When it was asked for, and when it was answered. */
	from: number;
	to: number;
}

/** Requests to one host over so many connections, one after the other on each, until it is ended. */
export class SteadyLoad {
	readonly samples: Sample[] = [];
	readonly #agent;
	#ended = false;
	readonly #workers: Promise<void>[];

	constructor(port: number, host: string, connections = 8) {
		this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
		this.#workers = Array.from({ length: connections }, async () => {
			while (!this.#ended) await this.#one(port, host);
		});
	}

	#one(port: number, host: string): Promise<void> {
		const from = performance.now();
		return new Promise((resolve) => {
			const end = (answer: string) => {
				this.samples.push({ answer, from, to: performance.now() });
				resolve();
			};
			const request = get({ port, host: "127.0.0.1", headers: { host }, agent: this.#agent }, (response) => {
				let text = "";
				response.setEncoding("utf8").on("data", (chunk: string) => {
					text += chunk;
				});
				response.on("end", () => end(`${response.statusCode} ${text}`));
				response.on("error", ({ code }: NodeJS.ErrnoException) => end(`broken ${code}`));
			});
			request.on("error", ({ code }: NodeJS.ErrnoException) => end(`failed ${code}`));
		});
	}

	/** How many there were of each answer so far. */
	get answers(): Record<string, number> {
		const counted: Record<string, number> = {};
		for (const { answer } of this.samples) counted[answer] = (counted[answer] ?? 0) + 1;
		return counted;
	}

	/** Resolves once so many more have been answered. */
	async more(count: number): Promise<void> {
		const wanted = this.samples.length + count;
		while (this.samples.length < wanted) await new Promise((resolve) => setImmediate(resolve));
	}

	async end(): Promise<void> {
		this.#ended = true;
		await Promise.all(this.#workers);
		this.#agent.destroy();
	}
}
