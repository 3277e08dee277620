import { join } from "node:path";
import { z } from "zod";
import { UsageError } from "../errors.ts";
import type { FunctionName } from "../names.ts";
import {
	problemOfSecret,
	ruleFields,
	SCHEMES,
	type Source,
	secretsSchema,
	sourceName,
} from "../sources/source-settings.ts";
import { liesIn, readText, shown } from "./config-file.ts";

/** A source as a function's own configuration names it, which says neither whose it is nor its secrets. */
export interface FoundSource extends Omit<Source, "tenant" | "secrets"> {
	/** The function's folder, and the file in it that has the secrets. */
	folder: string;
	secretFile: string;
}

/** Where a function's events come from, for `atoll serve` and `atoll dev`. */
export const sourcesSchema = z.record(
	sourceName,
	z.strictObject({
		scheme: z.enum(SCHEMES).meta({ description: "How events are signed." }),
		secretFile: z.string().min(1).meta({
			description: "The file that has the secret, in the function's folder; a line for each, where there are several.",
		}),
		types: ruleFields.types,
		queue: ruleFields.queue.meta({ description: "The queue that they are sent to, in place of the function." }),
		retries: ruleFields.retries,
		deadLetterQueue: ruleFields.deadLetterQueue,
	}),
);

/** What a configuration says of sources. */
export function sourcesFrom(folder: string, name: FunctionName, given: z.output<typeof sourcesSchema>): FoundSource[] {
	return Object.entries(given).map(([own, { scheme, secretFile, queue, ...rule }]) => ({
		...{ name: own, scheme, folder, secretFile },
		rules: [{ ...rule, ...(queue === undefined ? { function: name } : { queue }) }],
	}));
}

/** The secrets of a source. Throws UsageError where they cannot be had. */
export function secretsOf({ folder, secretFile, scheme }: FoundSource): string[] {
	const path = join(folder, secretFile);
	const where = `${shown(path)}, the secret of a source,`;
	const secrets = readSecrets(folder, path, where);
	const checked = secretsSchema.safeParse(secrets);
	const problems = checked.success
		? secrets.map((secret) => problemOfSecret(scheme, secret))
		: [checked.error.issues[0].message];
	for (const problem of problems) if (problem !== null) throw new UsageError(`${where} ${problem}`);
	return secrets;
}

function readSecrets(folder: string, path: string, where: string): string[] {
	try {
		if (!liesIn(folder, path)) throw new UsageError(`${where} leads out of its folder`);
		const lines = readText(path).split("\n");
		return lines.map((line) => line.trim()).filter((line) => line !== "");
	} catch (error) {
		if (error instanceof UsageError) throw error;
		throw new UsageError(`${where} cannot be read: ${(error as Error).message}`);
	}
}
