import { resolve } from "node:path";
import { Builder } from "../build/builder.ts";
import { BuildError } from "../build/problem.ts";
import { ArtifactStore } from "../cache/artifact-store.ts";
import { resolveLimits } from "../limits/limits.ts";
import { Launcher } from "../processes/launcher.ts";
import type { Flags } from "./flags.ts";
import { collect } from "./serve.ts";

const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

/** `atoll build`: builds functions into the data folder, from where `serve` takes them. */
export async function build(flags: Flags): Promise<void> {
	const sources = collect(flags);
	const store = await ArtifactStore.open(resolve(flags.data ?? ".atoll"));
	const launcher = new Launcher();
	const builder = await Builder.create(store, launcher);
	let broken = 0;
	try {
		await Promise.all(
			sources.map(async ({ name, entry, env, limits }) => {
				try {
					const { artifact, cached } = await builder.build({
						name,
						entry,
						env,
						limits: resolveLimits(limits),
						development: false,
					});
					const { code, codeCache, startUs, failure } = artifact;
					const start =
						failure === null ? `starts in ${(startUs / 1000).toFixed(1)} ms` : `does not start: ${failure.message}`;
					if (failure !== null) broken++;
					console.log(
						`${failure === null ? " " : "✗"} ${name}: ${kb(code.length)} of code, ${kb(codeCache.byteLength)} of code cache, ${start}${cached ? " (cached)" : ""}`,
					);
				} catch (error) {
					if (!(error instanceof BuildError)) throw error;
					broken++;
					console.error(`✗ ${name} does not build:\n\n${error.message.replace(/^/gm, "  ")}\n`);
				}
			}),
		);
	} finally {
		await builder.close();
		await launcher.close();
	}
	if (broken > 0) process.exitCode = 1;
}
