import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, listing, pathOf, say, sharesOf } from "../command.ts";
import type { FunctionInfo, Release, Version } from "../shapes.ts";

/** What keeps whoever asks with one version, as `cookie:session`, `header:x-user` or `address`. */
function stickyOf(text: string | undefined): object | undefined {
	if (text === undefined) return undefined;
	const [, by, name] = /^(cookie|header):(.+)$/.exec(text) ?? [];
	if (text === "address") return { by: "address" };
	if (by !== undefined) return { by, name };
	throw new ClientError(
		`--sticky must be cookie:NAME, header:NAME or address, not ${JSON.stringify(text)}`,
		Exit.usage,
	);
}

interface ReleaseOptions extends ClientOptions {
	alias?: string;
	message: string;
}

/** `atoll promote` */
export async function promote(
	name: string,
	given: string[],
	options: ReleaseOptions & { sticky?: string },
): Promise<void> {
	const shares = given.map((one) => {
		const [version, percent = given.length === 1 ? "100" : ""] = one.split("@");
		if (!/^\d+(?:\.\d+)?$/.test(percent))
			throw new ClientError(`give each version its share, as 3@90 4@10, not ${JSON.stringify(one)}`, Exit.usage);
		return { version, percent: Number(percent) };
	});
	const { alias, message } = options;
	const release = await clientOf(options).ask<Release>("POST", `${pathOf(options, name)}/releases`, {
		shares,
		alias,
		message,
		sticky: stickyOf(options.sticky),
	});
	await told(name, release, options);
}

/** `atoll rollback` */
export async function rollback(name: string, version: string | undefined, options: ReleaseOptions): Promise<void> {
	const { alias, message } = options;
	const release = await clientOf(options).ask<Release>("POST", `${pathOf(options, name)}/rollback`, {
		version,
		alias,
		message,
	});
	await told(name, release, options);
}

async function told(name: string, release: Release, options: ReleaseOptions): Promise<void> {
	const all = await clientOf(options).get<Version[]>(`${pathOf(options, name)}/versions`);
	const numbers = new Map(all.map(({ id, number }) => [id, number]));
	say(options, release, () => `${options.alias ?? "production"} of ${name}: ${sharesOf(release.shares, numbers)}`);
}

/** `atoll alias` */
export async function alias(
	name: string,
	one: string | undefined,
	version: string | undefined,
	options: ClientOptions & { remove?: boolean },
): Promise<void> {
	if (one !== undefined && version !== undefined)
		return promote(name, [version], { ...options, alias: one, message: "" });
	const client = clientOf(options);
	if (options.remove) {
		if (one === undefined)
			throw new ClientError("which alias is to be removed? atoll alias NAME ALIAS --remove", Exit.usage);
		await client.ask("DELETE", `${pathOf(options, name)}/aliases/${encodeURIComponent(one)}`);
		say(options, {}, () => `${name} has no alias ${one} any more`);
		return;
	}
	const { aliases } = await client.get<FunctionInfo>(pathOf(options, name));
	if (one !== undefined && !Object.hasOwn(aliases, one))
		throw new ClientError(
			`${name} has no alias ${one}; \`atoll alias ${name} ${one} VERSION\` gives it one`,
			Exit.refused,
		);
	const all = await client.get<Version[]>(`${pathOf(options, name)}/versions`);
	const numbers = new Map(all.map(({ id, number }) => [id, number]));
	const shown = one === undefined ? aliases : { [one]: aliases[one] };
	say(options, shown, () =>
		listing(
			["ALIAS", "VERSIONS"],
			Object.entries(shown).map(([each, shares]) => [each, sharesOf(shares, numbers)]),
			`${name} has no aliases: none of its versions is released`,
		),
	);
}
