import assert from "node:assert/strict";
import { before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { type Isolation, TestRuntime } from "./runtime.ts";

const EVALUATOR = `
const AsyncFunction = (async () => {}).constructor;
void globalThis.Temporal; // Which an isolate has where the script names it.
export default { async fetch(request) {
	const code = await request.text();
	try {
		return Response.json({ value: await new AsyncFunction(code)() });
	} catch (error) {
		return Response.json({ error: error?.name ?? String(error), message: error?.message ?? "" });
	}
} };`;

export interface Evaluated {
	value?: unknown;
	error?: string;
	message?: string;
}

/** Runs code inside an isolate, as the body of an async function. */
export class Evaluator {
	readonly atoll: TestRuntime;

	constructor(isolation: Isolation) {
		this.atoll = new TestRuntime({ isolation, limits: { cpuMs: 20_000 } });
		before(() => this.atoll.deploy("evaluator", EVALUATOR));
	}

	async run(code: string): Promise<Evaluated> {
		const response = await this.atoll.fetch("evaluator", "/", { method: "POST", body: code });
		return (await response.json()) as Evaluated;
	}

	/** The value of an expression or of a body with `return`. */
	async value(code: string): Promise<unknown> {
		const { value, error, message } = await this.run(bodyOf(code));
		assert.equal(error, undefined, `${error}: ${message}\nin: ${code}`);
		return value;
	}

	/**
	 * A test for each line of code: it gives in an isolate what it gives in Node, which serves as the standard's
	 * oracle.
	 */
	sameAsNode(name: string, lines: string[]): void {
		test(`${name}: as in Node`, async () => {
			const wrong: unknown[] = [];
			for (const line of lines) {
				const code = bodyOf(line);
				const expected = await inNode(code);
				const { message, ...found } = await this.run(code);
				if (!isDeepStrictEqual(found, expected)) wrong.push({ line, found, message, expected });
			}
			for (const w of wrong) if (process.env.SHOW) console.error(`WRONG ${JSON.stringify(w)}`);
			assert.deepEqual(wrong, []);
		});
	}
}

const AsyncFunction = (async () => undefined).constructor as new (code: string) => () => Promise<unknown>;

/** The body of a function that gives the value of an expression; code that is none is a body already. */
export function bodyOf(code: string): string {
	const body = `return (${code}\n);`;
	try {
		new AsyncFunction(body);
		return body;
	} catch {
		return code;
	}
}

async function inNode(code: string): Promise<Evaluated> {
	try {
		return JSON.parse(JSON.stringify({ value: await new AsyncFunction(code)() })) as Evaluated;
	} catch (error) {
		return { error: (error as Error).name };
	}
}
