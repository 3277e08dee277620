import fc from "fast-check";
import { changes } from "./changes.ts";
import { answers, uses } from "./uses.ts";

/** Statements that go on where one of them throws. */
const guarded = (statements: string[], indent: string) =>
	statements.map((statement) => `${indent}try { ${statement} } catch {}\n`).join("");

/**
 * Functions that first change what all objects inherit, or what the language does to them, and then use the platform: at their top
 * level, in the handler, or both.
 */
export const programs: fc.Arbitrary<string> = fc
	.record({
		before: fc.array(changes, { maxLength: 4 }),
		within: fc.array(changes, { maxLength: 4 }),
		used: fc.array(uses, { maxLength: 5 }),
		answer: answers,
	})
	.map(
		({ before, within, used, answer }) =>
			`let n = 0;\nconst held = [];\n${guarded(before, "")}` +
			"export default {\n\tasync fetch(request, env, ctx) {\n" +
			`${guarded(within, "\t\t")}${guarded(used, "\t\t")}\t\t${answer}\n\t},\n};\n`,
	);
