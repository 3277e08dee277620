import { resolve } from "node:path";
import { readAssetFolder } from "../assets/asset-folder.ts";
import { describeBindings } from "../bindings/binding.ts";
import { Builder, type BuildRequest } from "../build/builder.ts";
import { BuildError } from "../build/problem.ts";
import { outermost } from "../build/view.ts";
import { ArtifactStore } from "../cache/artifact-store.ts";
import { UsageError } from "../errors.ts";
import { defaultLimits, resolveLimits } from "../limits/limits.ts";
import { label, printable } from "../observe/printable.ts";
import { Launcher } from "../processes/launcher.ts";
import { collect, problemsOf } from "./collect.ts";
import { type Flags, foldersOf } from "./flags.ts";

const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

/** `atoll build`: builds functions into the data folder, from where `serve` takes them. */
export async function build(flags: Flags): Promise<void> {
	const sources = collect(flags);
	const defaults = defaultLimits({}, flags.maxLimits);
	const store = await ArtifactStore.open(resolve(flags.data ?? ".atoll"));
	const launcher = new Launcher();
	const builder = await Builder.create(store, launcher, { folders: outermost(foldersOf(flags, sources)) });
	let broken = 0;
	try {
		await Promise.all(
			sources.map(async (source) => {
				try {
					if (source.problem !== null) throw new UsageError(source.problem);
					const { name, entry, root, env, bindings, assets } = source;
					const site =
						assets === null ? "" : `${(await readAssetFolder(assets.directory)).files.length} files of assets`;
					if (entry === null) {
						console.log(`  ${label(source)}: ${site}`);
						return;
					}
					const limits = resolveLimits(source.limits, defaults, flags.maxLimits);
					const request: BuildRequest = { name, entry, root, development: false };
					const { artifact, cached, saved } = await builder.build(request);
					const { key, code, codeCache } = artifact;
					const built = { key, artifact: () => Promise.resolve(artifact) };
					const bound = Object.entries(bindings).map(([binding, { type }]) => ({ name: binding, type }));
					const settings = { env: JSON.stringify(env ?? {}), bindings: describeBindings(bound), limits };
					const { startUs, failure } = await builder.tryStart(request, built, settings);
					await saved;
					const start =
						failure === null ? `starts in ${(startUs / 1000).toFixed(1)} ms` : `does not start: ${failure.message}`;
					if (failure !== null) broken++;
					console.log(
						`${failure === null ? " " : "✗"} ${label(source)}: ${kb(code.length)} of code, ${kb(codeCache.byteLength)} of code cache, ${start}${site && `, ${site}`}${cached ? " (cached)" : ""}`,
					);
				} catch (error) {
					if (!(error instanceof BuildError || error instanceof UsageError)) throw error;
					broken++;
					const problem = error instanceof BuildError ? problemsOf(error, source) : error.message;
					console.error(`✗ ${label(source)} does not build:\n\n${printable(problem).replace(/^/gm, "  ")}\n`);
				}
			}),
		);
	} finally {
		await builder.close();
		await launcher.close();
	}
	if (broken > 0) process.exitCode = 1;
}
