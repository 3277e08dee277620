import type { Client } from "../client.ts";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, pathOf, progress, say } from "../command.ts";
import { readProject } from "../project.ts";
import { bundleProject } from "../project-bundle.ts";
import type { FunctionInfo, Release, Share, Version } from "../shapes.ts";
import { readSite, sendSite, versionAssets } from "../site-upload.ts";

const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;

interface DeployOptions extends ClientOptions {
	name?: string;
	env?: string;
	alias?: string;
	percent?: number;
	message: string;
	tag: string;
	dryRun?: boolean;
}

/** `atoll deploy` */
export async function deploy(path: string, options: DeployOptions): Promise<void> {
	const { alias, percent = 100, message, tag, dryRun } = options;
	if (!(percent > 0 && percent <= 100))
		throw new ClientError("--percent must be more than 0 and at most 100", Exit.usage);
	const project = readProject(path, { environment: options.env, name: options.name });
	for (const warning of project.warnings) console.error(`warning: ${warning}`);
	for (const { name: source } of project.sources)
		console.error(
			`warning: the source ${source} is for \`atoll serve\`; here it is made by \`atoll source add ${source}\``,
		);
	const name = options.name ?? project.name;
	const { entry, assets } = project;
	const { main, modules } = entry === null ? { main: undefined, modules: [] } : await bundleProject(entry);
	const size = modules.reduce((sum, { content }) => sum + content.byteLength, 0);
	if (entry !== null)
		progress(
			options,
			`built ${name}: ${kb(size)} in ${modules.length === 1 ? "one module" : `${modules.length} modules`}`,
		);
	const site = assets === null ? null : await readSite(assets.directory);
	if (dryRun) {
		const files = site === null ? {} : { assets: site.files.map(({ path: file }) => file) };
		if (site !== null) progress(options, `found ${site.files.length} files of assets`);
		say(
			options,
			{ name, size, modules: modules.map(({ path: module }) => module), ...files },
			() => "nothing was uploaded (--dry-run)",
		);
		return;
	}
	const client = clientOf(options);
	const { env: variables, bindings, limits, metadataBinding, compatibilityDate, compatibilityFlags } = project;
	const hostnames = [...project.hostnames, ...project.routes];
	const sent =
		site === null ? null : await sendSite(client, pathOf(options, name), site, (line) => progress(options, line));
	const form = new FormData();
	const about = { variables, bindings, limits, compatibilityDate, compatibilityFlags, message, tag };
	const metadata = { main, ...about, versionMetadata: metadataBinding, assets: versionAssets(assets, site, sent) };
	form.set("metadata", JSON.stringify(metadata));
	for (const { path: module, mediaType, content } of modules)
		form.set(module, new File([content as Uint8Array<ArrayBuffer>], module, { type: mediaType }));
	const response = await client.send("POST", `${pathOf(options, name)}/versions`, { body: form });
	const version = (await response.json()) as Version;
	progress(options, `uploaded version ${version.number}, which starts in ${version.startMs.toFixed(1)} ms`);
	const shares =
		percent === 100 ? [{ version: version.id, percent }] : await beside(client, version.id, percent, name, options);
	// What has a part of the traffic, or none, is called as what was there before.
	const triggers = alias === undefined && shares[0].percent === 100 ? project.triggers : undefined;
	const released = { shares, message, alias, triggers };
	const release = await client.ask<Release>("POST", `${pathOf(options, name)}/releases`, released);
	if (hostnames.length > 0) await client.ask("PUT", `${pathOf(options, name)}/hostnames`, hostnames);
	const one = await client.get<FunctionInfo>(pathOf(options, name));
	const urls =
		alias === undefined
			? one.hostnames.map((hostname) => urlLike(version.url, hostname))
			: [urlLike(version.url, `${alias}--${one.hostnames[0]}`)];
	const files = sent === null ? {} : { assets: { files: sent.files, uploaded: sent.uploaded } };
	// One that had all of it has it still, whatever --percent says: there is no other to have the rest.
	const share = release.shares.find((each) => each.version === version.id)?.percent ?? percent;
	say(options, { name, version, release, urls, ...files }, () =>
		[
			`${name} version ${version.number} has ${share} % of ${alias ?? "its traffic"}`,
			...urls.map((url) => `  ${url}`),
		].join("\n"),
	);
}

/** The scheme and port of one URL with another's hostname. */
function urlLike(url: string, hostname: string): string {
	const { protocol, port } = new URL(url);
	return `${protocol}//${hostname}${port === "" ? "" : `:${port}`}`;
}

/** A version with its share, and those that are released now with what that leaves them. */
async function beside(
	client: Client,
	version: string,
	percent: number,
	name: string,
	options: DeployOptions,
): Promise<Share[]> {
	const { aliases } = await client.get<FunctionInfo>(pathOf(options, name));
	const now = (aliases[options.alias ?? "production"] ?? []).filter((share) => share.version !== version);
	const all = now.reduce((sum, share) => sum + share.percent, 0);
	if (all === 0) return [{ version, percent: 100 }];
	const rest = now.map((share) => ({
		...share,
		percent: Math.floor((share.percent / all) * (100 - percent) * 100) / 100,
	}));
	// What rounding has left is the first one's.
	rest[0].percent =
		Math.round((rest[0].percent + 100 - percent - rest.reduce((sum, share) => sum + share.percent, 0)) * 100) / 100;
	return [{ version, percent }, ...rest];
}
