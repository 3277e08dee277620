import { createWriteStream, existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { Client } from "./client.ts";
import { ClientError, Exit } from "./client-error.ts";
import { connectionOf, DEFAULT_SERVER, keep } from "./credentials.ts";
import { readProject } from "./project.ts";
import { bundleProject } from "./project-bundle.ts";

/** What all commands take. */
export interface ClientOptions {
	server?: string;
	tenant: string;
	json?: boolean;
}

interface Share {
	version: string;
	percent: number;
}

interface Version {
	id: string;
	number: number;
	url: string;
	created: string;
	author: string;
	message: string;
	tag: string;
	size: number;
	startMs: number;
}

interface Release {
	id: string;
	shares: Share[];
}

interface FunctionInfo {
	name: string;
	hostnames: string[];
	paused: boolean;
	aliases: Record<string, Share[]>;
	changed: string;
}

const clientOf = ({ server }: ClientOptions) => new Client(connectionOf({ ...(server !== undefined && { server }) }));
const pathOf = ({ tenant }: ClientOptions, name: string) =>
	`/tenants/${encodeURIComponent(tenant)}/functions/${encodeURIComponent(name)}`;

/** What a command has to say: JSON for programs, lines for people. */
function say({ json }: ClientOptions, value: unknown, lines: () => string): void {
	console.log(json ? JSON.stringify(value, null, 2) : lines());
}

/** Lines of columns, as wide as what is in them, below their names; `none` where there is nothing to show. */
function listing(names: string[], rows: string[][], none: string): string {
	return rows.length === 0 ? none : table([names, ...rows]);
}

/** Lines of columns, as wide as what is in them. */
function table(rows: string[][]): string {
	const widths = rows[0]?.map((_, i) => Math.max(...rows.map((row) => row[i].length))) ?? [];
	return rows
		.map((row) =>
			row
				.map((cell, i) => cell.padEnd(widths[i]))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}

/** What takes a while is told on standard error, where it is in nobody's way. */
function progress({ json }: ClientOptions, line: string): void {
	if (!json) console.error(line);
}

const kb = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
const sharesOf = (shares: Share[], versions: Map<string, number>) =>
	shares.map(({ version, percent }) => `${versions.get(version) ?? version.slice(0, 8)}@${percent}`).join(" ");

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
	const project = readProject(path, options.env);
	for (const warning of project.warnings) console.error(`warning: ${warning}`);
	const name = options.name ?? project.name;
	const { main, modules } = await bundleProject(project.entry);
	const size = modules.reduce((sum, { content }) => sum + content.byteLength, 0);
	progress(
		options,
		`built ${name}: ${kb(size)} in ${modules.length === 1 ? "one module" : `${modules.length} modules`}`,
	);
	if (dryRun) {
		say(
			options,
			{ name, size, modules: modules.map(({ path: module }) => module) },
			() => "nothing was uploaded (--dry-run)",
		);
		return;
	}
	const client = clientOf(options);
	const { variables, bindings, limits, compatibilityDate, compatibilityFlags, hostnames } = project;
	const form = new FormData();
	const metadata = { main, variables, bindings, limits, compatibilityDate, compatibilityFlags, message, tag };
	form.set("metadata", JSON.stringify(metadata));
	for (const { path: module, mediaType, content } of modules)
		form.set(module, new File([content as Uint8Array<ArrayBuffer>], module, { type: mediaType }));
	const response = await client.send("POST", `${pathOf(options, name)}/versions`, { body: form });
	const version = (await response.json()) as Version;
	progress(options, `uploaded version ${version.number}, which starts in ${version.startMs.toFixed(1)} ms`);
	const shares =
		percent === 100 ? [{ version: version.id, percent }] : await beside(client, version.id, percent, name, options);
	const release = await client.ask<Release>("POST", `${pathOf(options, name)}/releases`, { shares, message, alias });
	if (hostnames.length > 0) await client.ask("PUT", `${pathOf(options, name)}/hostnames`, hostnames);
	const one = await client.get<FunctionInfo>(pathOf(options, name));
	const urls =
		alias === undefined
			? one.hostnames.map((hostname) => urlLike(version.url, hostname))
			: [urlLike(version.url, `${alias}--${one.hostnames[0]}`)];
	say(options, { name, version, release, urls }, () =>
		[
			`${name} version ${version.number} has ${percent} % of ${alias ?? "its traffic"}`,
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

/** `atoll list` */
export async function list(options: ClientOptions): Promise<void> {
	const all = await clientOf(options).get<FunctionInfo[]>(`/tenants/${encodeURIComponent(options.tenant)}/functions`);
	say(options, all, () =>
		listing(
			["NAME", "STATE", "CHANGED", "HOSTNAMES"],
			all.map(({ name, hostnames, paused, aliases, changed }) => [
				name,
				paused ? "paused" : aliases.production === undefined ? "not released" : "serving",
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

interface ReleaseOptions extends ClientOptions {
	alias?: string;
	message: string;
}

/** `atoll promote` */
export async function promote(name: string, given: string[], options: ReleaseOptions): Promise<void> {
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

/** Something that is not for a command line, where others of the machine could read it. */
async function fromInput(what: string): Promise<string> {
	if (process.stdin.isTTY) console.error(`type or paste ${what}, then Ctrl-D:`);
	const given = (await text(process.stdin)).replace(/\r?\n$/, "");
	if (given === "") throw new ClientError(`${what} is read from standard input, and there was nothing`, Exit.usage);
	return given;
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

/** `atoll pause`, `atoll resume` */
export async function setPaused(name: string, paused: boolean, options: ClientOptions): Promise<void> {
	const one = await clientOf(options).ask<FunctionInfo>("PATCH", pathOf(options, name), { paused });
	say(options, one, () => `${name} ${paused ? "is paused" : "runs again"}`);
}

interface Tailed {
	record: {
		method: string;
		url: string;
		status: number;
		outcome: string;
		event: string;
		wallMs: number;
		cpuMs: number;
	};
	lines: { level: string; message: string }[];
}

/** `atoll tail`: until it is ended. */
export async function tail(name: string, options: ClientOptions): Promise<void> {
	const response = await clientOf(options).send("GET", `${pathOf(options, name)}/tail`);
	progress(options, `connected to ${name}; Ctrl-C ends it`);
	const decoder = new TextDecoder();
	let rest = "";
	for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
		const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
		rest = lines.pop() as string;
		for (const line of lines) {
			if (!line.startsWith("data: ")) continue;
			const data = line.slice("data: ".length);
			console.log(options.json ? data : described(JSON.parse(data) as Tailed));
		}
	}
}

function described({ record, lines }: Tailed): string {
	const what = record.event === "http" ? `${record.method} ${record.url} ${record.status}` : record.event;
	const first = `${what} ${record.outcome}, ${record.wallMs.toFixed(1)} ms (CPU ${record.cpuMs.toFixed(1)} ms)`;
	const logged = lines.map(({ level, message }) => `  ${level}: ${printable(message).replaceAll("\n", "\n  ")}`);
	return [printable(first), ...logged].join("\n");
}

/** What a function says writes no control characters to a terminal. */
function printable(said: string): string {
	return said.replace(/[^\P{Cc}\n\t]/gu, "\ufffd");
}

/** `atoll delete` */
export async function remove(name: string, options: ClientOptions): Promise<void> {
	await clientOf(options).ask("DELETE", pathOf(options, name));
	say(options, {}, () => `${name} was removed`);
}

interface TokenOptions extends ClientOptions {
	label: string;
	scope: string;
	functions?: string;
	allTenants?: boolean;
	days?: number;
}

/** A token as the API tells of it. */
interface TokenInfo {
	id: string;
	label: string;
	scope: string;
	tenant: string | null;
	functions: string[] | null;
	expires: string | null;
}

const DAY_MS = 24 * 3600_000;

/** Where a token may do what it may. */
const reachOf = ({ tenant, functions }: Pick<TokenInfo, "tenant" | "functions">) =>
	`${tenant === null ? "every tenant" : `the tenant ${tenant}`}${functions === null ? "" : `: ${functions.join(", ")}`}`;

/** `atoll token` */
export async function token(action: string, id: string | undefined, options: TokenOptions): Promise<void> {
	const client = clientOf(options);
	if (action === "list") {
		const all = await client.get<TokenInfo[]>("/tokens");
		say(options, all, () =>
			listing(
				["ID", "LABEL", "SCOPE", "ACTS FOR", "EXPIRES"],
				all.map((one) => [one.id, one.label, one.scope, reachOf(one), one.expires ?? "never"]),
				"there are no tokens",
			),
		);
	} else if (action === "create") {
		const { label, scope, functions, tenant, allTenants, days } = options;
		const grant = {
			label: label || scope,
			scope,
			tenant: allTenants ? null : tenant,
			functions: functions?.split(",").map((name) => name.trim()) ?? null,
			expires: days === undefined ? null : new Date(Date.now() + days * DAY_MS).toISOString(),
		};
		const made = await client.ask<{ id: string; token: string }>("POST", "/tokens", grant);
		say(
			options,
			made,
			() =>
				`${made.token}\nIt may ${scope}, for ${reachOf(grant)}. It is told this once; \`atoll token revoke ${made.id}\` ends it.`,
		);
	} else {
		if (id === undefined)
			throw new ClientError("which token? atoll token revoke ID; `atoll token list` has the ids", Exit.usage);
		await client.ask("DELETE", `/tokens/${encodeURIComponent(id)}`);
		say(options, {}, () => `the token ${id} lets nobody in any more`);
	}
}

/** `atoll login` */
export async function login(options: ClientOptions): Promise<void> {
	const { server = process.env.ATOLL_SERVER ?? DEFAULT_SERVER } = options;
	const given = await fromInput("the token");
	const connection = connectionOf({ server, token: given });
	const who = await new Client(connection).get<{ label: string }>("/whoami");
	const path = keep(connection);
	say(options, { server, path }, () => `logged in to ${server} as ${who.label}; kept in ${path}`);
}

/** `atoll whoami` */
export async function whoami(options: ClientOptions): Promise<void> {
	const client = clientOf(options);
	const who = await client.get<TokenInfo & { domain: string; version: string }>("/whoami");
	say(options, { server: client.server, ...who }, () =>
		table([
			["server", client.server],
			["atoll", who.version],
			["domain", who.domain],
			["token", who.label],
			["scope", who.scope],
			["acts for", reachOf(who)],
			["expires", who.expires ?? "never"],
		]),
	);
}

/** `atoll backup` */
export async function backup(file: string, options: ClientOptions): Promise<void> {
	const path = resolve(file);
	if (existsSync(path)) throw new ClientError(`${file} is there already; choose another name`, Exit.usage);
	const response = await clientOf(options).send("GET", "/backup");
	const draft = `${path}.part`;
	try {
		await pipeline(Readable.fromWeb(response.body as never), createWriteStream(draft, { mode: 0o600 }));
		await rename(draft, path);
	} catch (error) {
		await rm(draft, { force: true });
		throw error;
	}
	say(
		options,
		{ file: path },
		() => `${file} is a backup. The key of the secrets is not in it: keep secrets.key of the data folder elsewhere`,
	);
}

/** `atoll doctor` */
export async function doctor(options: ClientOptions): Promise<void> {
	const client = clientOf(options);
	const about = await client.get<Record<string, unknown>>("/doctor");
	say(options, about, () =>
		table(
			Object.entries(about).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
		),
	);
}
