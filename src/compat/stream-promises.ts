/** `node:stream/promises` */
import { promises } from "./stream.ts";

export const { finished, pipeline } = promises as Record<
	"finished" | "pipeline",
	(...args: unknown[]) => Promise<void>
>;
export default { finished, pipeline };
