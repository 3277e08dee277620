import { Agent, request } from "node:http";

/** How many there are, each at `neighbour<i>.test`. */
export const NEIGHBOURS = 4;
/** By then a function has proven light, and is served in the normal lane. */
const WARM_UP = 40;
/** How long a neighbour waits for its answer: far more than it takes on a machine with a lot to do. */
const PATIENCE_MS = 30_000;
const EVERY_MS = 10;

/** Functions whose requests must all be answered, whatever is done to the edge meanwhile. */
export class Neighbours {
	readonly #port: number;
	readonly #agent = new Agent({ keepAlive: true });
	#asked = 0;
	#failures: string[] = [];
	#running: Promise<void> | null = null;
	#stopping = false;

	constructor(port: number) {
		this.#port = port;
	}

	/** Has them prove light. */
	async warmUp(): Promise<void> {
		for (let i = 0; i < WARM_UP * NEIGHBOURS; i++) await this.#ask();
	}

	/** From now on they are asked, one after the other. */
	start(): void {
		this.#stopping = false;
		this.#running = this.#run();
	}

	/** Gives what went wrong since the start. */
	async stop(): Promise<string[]> {
		this.#stopping = true;
		await this.#running;
		for (let i = 0; i < NEIGHBOURS; i++) await this.#ask();
		return this.#failures.splice(0);
	}

	close(): void {
		this.#agent.destroy();
	}

	async #run(): Promise<void> {
		while (!this.#stopping) {
			await this.#ask();
			await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
		}
	}

	#ask(): Promise<void> {
		const n = this.#asked++;
		const name = `neighbour${n % NEIGHBOURS}`;
		return new Promise((resolve) => {
			const fail = (why: string) => {
				this.#failures.push(`${name} ${why}`);
				resolve();
			};
			const headers = { host: `${name}.test` };
			const options = { port: this.#port, host: "127.0.0.1", method: "POST", agent: this.#agent, headers };
			const asked = request({ ...options, timeout: PATIENCE_MS }, (response) => {
				let text = "";
				response.setEncoding("utf8");
				response.on("data", (part: string) => {
					text += part;
				});
				response.on("error", (error) => fail(error.message));
				response.on("end", () => {
					if (response.statusCode === 200 && text === `${name} ${n}`) resolve();
					else fail(`got ${response.statusCode} ${text.slice(0, 200)}`);
				});
			});
			asked.on("timeout", () => asked.destroy(new Error(`waited for ${PATIENCE_MS} ms`)));
			asked.on("error", (error) => fail(error.message));
			asked.end(String(n));
		});
	}
}
