import { Client } from "../client.ts";
import { ClientError, Exit } from "../client-error.ts";
import { type ClientOptions, clientOf, fromInput, listing, say, table } from "../command.ts";
import { connectionOf, DEFAULT_SERVER, keep } from "../credentials.ts";

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
