import type { z } from "zod";
import { UsageError } from "../errors.ts";

/** Checks options where they come in. Throws UsageError that names the option and what is wrong. */
export function check<T>(schema: z.ZodType, value: unknown, where: string): T {
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data as T;
	const problems = parsed.error.issues.map((issue) => `${issue.path.join(".") || "options"}: ${issue.message}`);
	throw new UsageError(`${where}: ${problems.join("; ")}`);
}
