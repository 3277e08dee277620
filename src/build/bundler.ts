/** The bundler process: holds the one esbuild service, and bundles what it is asked to over Node's IPC channel. */
import { type Bundle, type BundleRequest, bundle } from "./bundle.ts";

export interface BundlerJob extends BundleRequest {
	id: number;
}
export interface BundlerResult {
	id: number;
	bundle: Bundle | { ok: false; problems: { text: string }[]; inputs: string[] };
}

process.on("message", (job: BundlerJob) => {
	void bundle(job)
		.catch((error: Error) => ({
			ok: false as const,
			problems: [{ text: `the bundler failed: ${error.message}` }],
			inputs: [],
		}))
		.then((result) => process.send?.({ id: job.id, bundle: result } satisfies BundlerResult));
});
process.on("disconnect", () => process.exit(0));
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
