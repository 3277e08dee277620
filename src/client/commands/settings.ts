import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, fromInput, listing, pathOf, say, table } from "../command.ts";
import type { FunctionInfo } from "../shapes.ts";

/** `atoll hostnames` */
export async function hostnames(
	name: string,
	given: string[],
	options: ClientOptions & { none?: boolean },
): Promise<void> {
	const client = clientOf(options);
	const change = given.length > 0 || options.none;
	const one = change
		? await client.ask<FunctionInfo>("PUT", `${pathOf(options, name)}/hostnames`, given)
		: await client.get<FunctionInfo>(pathOf(options, name));
	say(options, one.hostnames, () => one.hostnames.join("\n"));
}

/** `atoll secret` */
export async function secret(
	action: string,
	name: string,
	key: string | undefined,
	options: ClientOptions,
): Promise<void> {
	const client = clientOf(options);
	const path = `${pathOf(options, name)}/secrets`;
	const all = () => client.get<{ name: string; changed: string }[]>(path);
	if (action === "list") {
		const secrets = await all();
		const rows = secrets.map((one) => [one.name, one.changed]);
		say(options, secrets, () => listing(["SECRET", "CHANGED"], rows, `${name} has no secrets`));
		return;
	}
	if (key === undefined) throw new ClientError(`which secret? atoll secret ${action} ${name} KEY`, Exit.usage);
	if (action === "delete" && !(await all()).some((one) => one.name === key))
		throw new ClientError(`${name} has no secret ${key}`, Exit.refused);
	await client.ask("PATCH", path, { [key]: action === "put" ? await fromInput(`the secret ${key}`) : null });
	say(options, {}, () => `${key} of ${name} was ${action === "put" ? "set" : "deleted"}`);
}

/** `atoll env` */
export async function env(name: string, pairs: string[], options: ClientOptions): Promise<void> {
	const client = clientOf(options);
	const path = `${pathOf(options, name)}/variables`;
	const patch = pairs.map((pair): [string, string | null] => {
		const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
		if (key === undefined)
			throw new ClientError(`give variables as KEY=VALUE, not ${JSON.stringify(pair)}`, Exit.usage);
		return [key, value === "" ? null : value];
	});
	if (patch.length > 0) await client.ask("PATCH", path, Object.fromEntries(patch));
	const all = await client.get<Record<string, unknown>>(path);
	say(
		options,
		all,
		() =>
			Object.entries(all)
				.map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
				.join("\n") || `${name} has no variables beside those that its versions were uploaded with`,
	);
}

/** `atoll settings` */
export async function settings(
	name: string,
	options: ClientOptions & {
		provisioned?: number;
		maxInstances?: number | "none";
		keepVersions?: number;
		keepDays?: number | "none";
		cron?: string[];
	},
): Promise<void> {
	const { provisioned, maxInstances, keepVersions: versions, keepDays: days, cron } = options;
	const client = clientOf(options);
	const path = pathOf(options, name);
	const change = {
		...(provisioned !== undefined && { provisioned }),
		...(maxInstances !== undefined && { maxInstances: maxInstances === "none" ? null : maxInstances }),
		...(cron !== undefined && { triggers: { crons: cron.filter((each) => each !== "none") } }),
		...((versions ?? days) !== undefined && { keep: { versions, days: days === "none" ? null : days } }),
	};
	const one = await (Object.keys(change).length > 0
		? client.ask<FunctionInfo>("PATCH", path, change)
		: client.get<FunctionInfo>(path));
	say(options, one, () =>
		table([
			["provisioned", String(one.provisioned)],
			["max-instances", one.paused ? "0 (paused)" : String(one.maxInstances ?? "none")],
			["keep-versions", String(one.keep.versions)],
			["keep-days", String(one.keep.days ?? "none")],
			["crons", one.triggers.crons.join(", ") || "none"],
			["queues", one.triggers.queues.map(({ queue }) => queue).join(", ") || "none"],
			["storage", one.triggers.storage.map(({ bucket, kv }) => bucket ?? kv).join(", ") || "none"],
		]),
	);
}

/** `atoll pause`, `atoll resume` */
export async function setPaused(name: string, paused: boolean, options: ClientOptions): Promise<void> {
	const one = await clientOf(options).ask<FunctionInfo>("PATCH", pathOf(options, name), { paused });
	say(options, one, () => `${name} ${paused ? "is paused" : "runs again"}`);
}
