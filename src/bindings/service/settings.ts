import { z } from "zod";
import { functionName } from "../../names.ts";

/** Letters of the JSON of `props`. */
const MOST_PROPS = 16 * 1024;

/** What a deployment says of a service binding. */
export const serviceSettings = z.strictObject({
	function: functionName,
	entrypoint: z
		.string()
		.regex(/^[\p{ID_Start}$_][\p{ID_Continue}$]{0,99}$/u, "must be a name as JavaScript has them")
		.default("default"),
	props: z
		.record(z.string(), z.json())
		.transform((props) => JSON.stringify(props))
		.refine(({ length }) => length <= MOST_PROPS, `must be JSON of up to ${MOST_PROPS} letters`)
		.default(""),
});
export type ServiceSettings = z.output<typeof serviceSettings>;
