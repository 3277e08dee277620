import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { DEFAULT_TENANT } from "../names.ts";
import { Router } from "../router/router.ts";
import { ceilings } from "./ceilings.ts";
import type { Flags } from "./flags.ts";
import { version } from "./version.ts";

const HELP = `atoll: a lightweight, isolate-based edge function runtime

  atoll serve PATH…    serve functions: a file answers at every hostname, a folder
                       serves each function in it at http://<name>.<domain>:<port>
  atoll dev PATH…      the same, and watch: rebuild on change, show errors in the page
  atoll build PATH…    build functions into the data folder, and say what they weigh

  --root DIR           folder that functions at PATH may import files from, and that holds
                       every PATH                           (PATH, or its file's folder)
  --tenants DIR        functions of other tenants, at DIR/<tenant>/<function>, each at
                       http://<name>.<tenant>.<domain>:<port>; may be repeated
  --grant TENANT=NAME  a hostname that a tenant's functions may ask for; may be repeated
  --max NAME=VALUE     how far functions may raise a limit, as memoryMb=512; may be repeated

  --port PORT          port to listen on                    (8787; 0 takes a free one)
  --host ADDRESS       address to listen on                 (127.0.0.1)
  --domain DOMAIN      domain under which folders serve     (localhost)
  --isolation KIND     process or inline                    (process)
  --sandboxes N        sandbox processes beside the spare   (cores less one)
  --data DIR           folder for artifacts                 (.atoll)
  --allow-egress HOST  a private host or range that functions may fetch from; may be repeated
  --cgroup PATH        a control group (version 2) to make one below for each sandbox
  --version, --help
`;

/** Loaded when they are asked for: a mistake in the command line is answered without the runtime. */
const COMMANDS: Record<string, () => Promise<(flags: Flags) => Promise<void>>> = {
	serve: async () => (await import("./serve.ts")).serve,
	dev: async () => (await import("./dev.ts")).dev,
	build: async () => (await import("./build.ts")).build,
};

function parse(args: string[]) {
	try {
		return parseArgs({
			args,
			allowPositionals: true,
			options: {
				port: { type: "string" },
				host: { type: "string" },
				domain: { type: "string" },
				root: { type: "string" },
				tenants: { type: "string", multiple: true },
				grant: { type: "string", multiple: true },
				max: { type: "string", multiple: true },
				isolation: { type: "string" },
				sandboxes: { type: "string" },
				data: { type: "string" },
				"allow-egress": { type: "string", multiple: true },
				cgroup: { type: "string" },
				help: { type: "boolean", short: "h" },
				version: { type: "boolean", short: "v" },
			},
		});
	} catch (error) {
		throw new UsageError((error as Error).message);
	}
}

function toInteger(text: string | undefined, flag: string, least: number, most: number): number | undefined {
	if (text === undefined) return undefined;
	const value = Number(text);
	if (!/^\d+$/.test(text) || value < least || value > most)
		throw new UsageError(`--${flag} must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
	return value;
}

function toDomain(text: string): string {
	const domain = Router.parse(text);
	if (domain === null || domain.startsWith("*"))
		throw new UsageError(`--domain must be a hostname, not ${JSON.stringify(text)}`);
	return domain;
}

function toGrant(text: string): { tenant: string; hostname: string } {
	const [tenant, pattern = "", ...rest] = text.split("=");
	const hostname = Router.parse(pattern);
	if (hostname === null || hostname === "*" || rest.length > 0 || tenant === DEFAULT_TENANT)
		throw new UsageError(
			`--grant must be TENANT=HOSTNAME, as acme=shop.example.com or acme=*.example.com, not ${JSON.stringify(text)}`,
		);
	return { tenant, hostname };
}

/** Runs a command line. What is wrong with it is said in one line, and the process ends with code 1. */
export async function main(args: string[]): Promise<void> {
	try {
		const { values, positionals } = parse(args);
		const [command, ...paths] = positionals;
		if (values.version) {
			console.log(version());
			return;
		}
		if (values.help || command === undefined) {
			console.log(HELP);
			if (!values.help) process.exitCode = 1;
			return;
		}
		if (!Object.hasOwn(COMMANDS, command))
			throw new UsageError(`there is no command ${JSON.stringify(command)}; atoll --help lists them`);
		const { isolation } = values;
		if (isolation !== undefined && isolation !== "process" && isolation !== "inline")
			throw new UsageError(`--isolation must be process or inline, not ${JSON.stringify(isolation)}`);
		const { tenants = [] } = values;
		if (paths.length === 0 && tenants.length === 0)
			throw new UsageError(`atoll ${command} needs the path of a function, or of a folder of functions`);
		const grants = (values.grant ?? []).map(toGrant);
		if (grants.length > 0 && tenants.length === 0)
			throw new UsageError("--grant gives hostnames to tenants' functions, and needs --tenants DIR");
		const run = await COMMANDS[command]();
		await run({
			paths,
			root: values.root,
			tenants,
			reach: {
				domain: toDomain(values.domain ?? "localhost"),
				grants,
			},
			port: toInteger(values.port, "port", 0, 65535) ?? 8787,
			host: values.host ?? "127.0.0.1",
			isolation,
			sandboxes: toInteger(values.sandboxes, "sandboxes", 1, 256),
			data: values.data,
			maxLimits: ceilings(values.max ?? []),
			allowEgress: values["allow-egress"] ?? [],
			cgroup: values.cgroup,
		});
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		console.error(`atoll: ${error.message}`);
		process.exitCode = 1;
	}
}

if (import.meta.main) await main(process.argv.slice(2));
