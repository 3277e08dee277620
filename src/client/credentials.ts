import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Connection } from "./client.ts";
import { ClientError, Exit } from "./client-error.ts";

export const DEFAULT_SERVER = "http://127.0.0.1:8788";

function path(): string {
	const { XDG_CONFIG_HOME: config = join(homedir(), ".config") } = process.env;
	return join(config, "atoll", "credentials.json");
}

/** What `atoll login` has kept; nothing where nobody has logged in. */
function kept(): Partial<Connection> {
	try {
		return Object(JSON.parse(readFileSync(path(), "utf8"))) as Partial<Connection>;
	} catch {
		return {};
	}
}

/** Keeps a connection for the commands to come, for this user alone. Returns where. */
export function keep(connection: Connection): string {
	mkdirSync(dirname(path()), { recursive: true, mode: 0o700 });
	writeFileSync(path(), `${JSON.stringify(connection, null, "\t")}\n`, { mode: 0o600 });
	return path();
}

/** The connection by flags, then the environment, then what was kept. Throws ClientError where there is no token. */
export function connectionOf(flags: Partial<Connection>): Connection {
	const { ATOLL_SERVER, ATOLL_TOKEN, ATOLL_ADMIN_TOKEN } = process.env;
	const own = kept();
	const server = flags.server ?? ATOLL_SERVER ?? own.server ?? DEFAULT_SERVER;
	if (!URL.canParse(server) || !/^https?:/.test(server))
		throw new ClientError(`--server must be a URL like ${DEFAULT_SERVER}, not ${JSON.stringify(server)}`, Exit.usage);
	// A token that was kept is for the server that it was kept with.
	const mine = own.server === server ? own.token : undefined;
	const token = flags.token ?? ATOLL_TOKEN ?? mine ?? ATOLL_ADMIN_TOKEN;
	if (token === undefined || token === "")
		throw new ClientError(
			`there is no token for ${server}: set ATOLL_TOKEN, or run \`atoll login\`; \`atoll up\` prints the first one when it starts for the first time`,
			Exit.notAllowed,
		);
	return { server, token };
}
