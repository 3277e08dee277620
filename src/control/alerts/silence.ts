import { z } from "zod";
import { matcherText } from "../../config/alert-receivers.ts";
import type { EpochMs } from "../../units.ts";

/** A silence as the API takes it. */
export const silenceSchema = z
	.strictObject({
		matchers: z.array(matcherText).min(1).max(20).meta({
			description: "Its alerts: those whose labels are as all of these say.",
		}),
		from: z.iso.datetime({ offset: true }).optional().meta({ description: "Default: now." }),
		until: z.iso.datetime({ offset: true }),
		comment: z.string().max(1000).default(""),
	})
	.refine(({ from, until }) => Date.parse(until) > Date.parse(from ?? "1970-01-01T00:00:00Z"), {
		path: ["until"],
		error: "must come after from",
	});

/** Of what nobody is told for a while, of those whose silence it is. */
export interface Silence {
	id: string;
	/** `null` for the operator's. */
	owner: string | null;
	matchers: string[];
	from: EpochMs;
	until: EpochMs;
}
