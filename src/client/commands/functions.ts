import { type ClientOptions, clientOf, listing, pathOf, say } from "../command.ts";
import type { FunctionInfo, Version } from "../shapes.ts";

/** `atoll list` */
export async function list(options: ClientOptions): Promise<void> {
	const all = await clientOf(options).get<FunctionInfo[]>(`/tenants/${encodeURIComponent(options.tenant)}/functions`);
	say(options, all, () =>
		listing(
			["NAME", "STATE", "PROVISIONED", "MAX", "CHANGED", "HOSTNAMES"],
			all.map(({ name, hostnames, paused, provisioned, maxInstances, aliases, changed }) => [
				name,
				paused ? "paused" : aliases.production === undefined ? "not released" : "serving",
				String(provisioned),
				String(maxInstances ?? "none"),
				changed,
				hostnames.join(" "),
			]),
			`the tenant ${options.tenant} has no functions yet: \`atoll deploy\` uploads one`,
		),
	);
}

/** `atoll versions` */
export async function versions(name: string, options: ClientOptions): Promise<void> {
	const client = clientOf(options);
	const all = await client.get<Version[]>(`${pathOf(options, name)}/versions`);
	const { aliases } = await client.get<FunctionInfo>(pathOf(options, name));
	const where = (id: string) =>
		Object.entries(aliases)
			.flatMap(([alias, shares]) =>
				shares.filter(({ version }) => version === id).map(({ percent }) => `${alias} ${percent} %`),
			)
			.join(", ");
	say(options, all, () =>
		listing(
			["VERSION", "ID", "CREATED", "BY", "HAS", "WHAT"],
			all.map((one) => [
				String(one.number),
				one.id,
				one.created,
				one.author,
				where(one.id) || "nothing",
				[one.tag, one.message].filter(Boolean).join(" "),
			]),
			`${name} has no versions yet`,
		),
	);
}

/** `atoll delete` */
export async function remove(name: string, options: ClientOptions): Promise<void> {
	await clientOf(options).ask("DELETE", pathOf(options, name));
	say(options, {}, () => `${name} was removed`);
}
