import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { bodyOf, type Evaluated, Evaluator } from "./evaluate.ts";

/**
 * What a step of an algorithm says, a piece of code that takes it, and what that gives: a value, or an error's name.
 */
export type Step = [says: string, code: string, gives: unknown];

/** An error that a step throws, or rejects with. */
export const error = (name: string): Evaluated => ({ error: name });

/**
 * The algorithms of one standard as tests that run inside an isolate, a group for each of its sections, which is
 * named by its anchor. What is expected comes from the standard's text.
 */
export function standard(url: string, sections: Record<string, Step[]>): void {
	describe(url, () => {
		const evaluator = new Evaluator("inline");
		for (const [section, steps] of Object.entries(sections)) {
			for (const [says, code, gives] of steps) {
				test(`${section} ${says}`, async () => {
					const { message, ...found } = await evaluator.run(bodyOf(code));
					const expected = isError(gives) ? gives : { value: gives };
					assert.deepEqual(found, expected, `${code}\n${message ?? ""}`);
				});
			}
		}
	});
}

function isError(gives: unknown): gives is Evaluated {
	return typeof gives === "object" && gives !== null && Object.hasOwn(gives, "error");
}
