import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { ClientError, Exit } from "../client/client-error.ts";
import { UsageError } from "../errors.ts";
import { DEFAULT_TENANT } from "../names.ts";
import { printable } from "../observe/printable.ts";
import { Router } from "../router/router.ts";
import { version } from "../version.ts";
import { ceilings } from "./ceilings.ts";
import { addClientCommands } from "./client-commands.ts";
import { type Flags, integer, list } from "./flags.ts";

const HELP = `
atoll help COMMAND tells of one command; docs/cli.md of all, and of exit codes.`;

/** What the commands that serve folders have in common, as it is typed. */
interface ServeOptions {
	port: number;
	host: string;
	domain: string;
	eventsHostname?: string;
	root?: string;
	env?: string;
	tenants: string[];
	grant: { tenant: string; hostname: string }[];
	max: string[];
	isolation?: Flags["isolation"];
	sandboxes?: number;
	data?: string;
	allowEgress: string[];
	cgroup?: string;
}

/** Loaded when they are asked for: a mistake in the command line is answered without the runtime. */
const SERVING: Record<string, { about: string; load: () => Promise<(flags: Flags) => Promise<void>> }> = {
	serve: {
		about: "serve functions: a file answers at every hostname, a folder serves each function in it at <name>.<domain>",
		load: async () => (await import("./serve.ts")).serve,
	},
	dev: {
		about: "the same, and watch: rebuild on change, show errors in the page",
		load: async () => (await import("./dev.ts")).dev,
	},
	build: {
		about: "build functions into the data folder, and say what they weigh",
		load: async () => (await import("./build.ts")).build,
	},
};

function toDomain(text: string): string {
	const domain = Router.parse(text);
	if (domain === null || domain.startsWith("*"))
		throw new InvalidArgumentError(`must be a hostname, not ${JSON.stringify(text)}`);
	return domain;
}

function toGrant(text: string, before: ServeOptions["grant"]): ServeOptions["grant"] {
	const [tenant, pattern = "", ...rest] = text.split("=");
	const hostname = Router.parse(pattern);
	if (hostname === null || hostname === "*" || rest.length > 0 || tenant === DEFAULT_TENANT)
		throw new InvalidArgumentError(
			`must be TENANT=HOSTNAME, as acme=shop.example.com or acme=*.example.com, not ${JSON.stringify(text)}`,
		);
	return [...before, { tenant, hostname }];
}

function addServing(program: Command, name: string): void {
	const { about, load } = SERVING[name];
	program
		.command(name)
		.description(about)
		.argument("[PATH...]", "a function, or a folder of functions")
		.option("--root <DIR>", "folder that functions at PATH may import files from, and that holds every PATH")
		.option("--env <ENVIRONMENT>", "an environment of wrangler's configuration")
		.option("--tenants <DIR>", "functions of other tenants, at DIR/<tenant>/<function>; may be repeated", list, [])
		.option("--grant <TENANT=NAME>", "a hostname that a tenant's functions may ask for; may be repeated", toGrant, [])
		.option("--max <NAME=VALUE>", "how far functions may raise a limit, as memoryMb=512; may be repeated", list, [])
		.option("--port <PORT>", "port to listen on; 0 takes a free one", integer(0, 65_535), 8787)
		.option("--host <ADDRESS>", "address to listen on", "127.0.0.1")
		.option("--domain <DOMAIN>", "domain under which folders serve", toDomain, "localhost")
		.option("--events-hostname <NAME>", "where events of sources are taken (events.<domain>)", toDomain)
		.addOption(new Option("--isolation <KIND>", "where functions run").choices(["process", "inline"]))
		.option("--sandboxes <N>", "sandbox processes beside the spare (cores less one)", integer(1, 256))
		.option("--data <DIR>", "folder for artifacts (.atoll)")
		.option("--allow-egress <HOST>", "a private host or range that functions may fetch from; may be repeated", list, [])
		.option("--cgroup <PATH>", "a control group (version 2) to make one below for each sandbox")
		.action(async (paths: string[], options: ServeOptions) => {
			const { tenants, grant, max, domain, data, root, env, isolation, sandboxes, cgroup, eventsHostname, ...rest } =
				options;
			if (paths.length === 0 && tenants.length === 0)
				throw new UsageError(
					`atoll ${name} needs the path of a function, or of a folder of functions: atoll ${name} .`,
				);
			if (grant.length > 0 && tenants.length === 0)
				throw new UsageError("--grant gives hostnames to tenants' functions, and needs --tenants DIR");
			const run = await load();
			await run({
				...rest,
				paths,
				root,
				environment: env,
				tenants,
				reach: { domain, grants: grant },
				eventsHostname: eventsHostname ?? `events.${domain}`,
				isolation,
				sandboxes,
				data,
				maxLimits: ceilings(max),
				cgroup,
			});
		});
}

function addServer(program: Command): void {
	program
		.command("up")
		.description(
			"a platform on this machine: functions are deployed to it, and stay. docs/operations.md says how to run it",
		)
		.option("--config <FILE>", "its settings (atoll.server.jsonc, where that is there)")
		.option("--port <PORT>", "port for functions' clients (8787); 0 takes a free one", integer(0, 65_535))
		.option("--host <ADDRESS>", "address for them (127.0.0.1)")
		.option("--admin-port <PORT>", "port for the admin API (8788); 0 takes a free one", integer(0, 65_535))
		.option("--admin-host <ADDRESS>", "address for it (127.0.0.1)")
		.option("--data <DIR>", "folder for the database, uploads and artifacts (.atoll)")
		.option("--domain <DOMAIN>", "a function deployed as NAME answers at NAME.<domain> (localhost)", toDomain)
		.option("--sandboxes <N>", "sandbox processes beside the spare (cores less one)", integer(1, 256))
		.option("--allow-egress <HOST>", "a private host or range that functions may fetch from; may be repeated", list)
		.action(async ({ config, ...flags }: { config?: string }) => (await import("./up.ts")).up(flags, config));
	program
		.command("restart")
		.description(
			"replace the processes of `atoll up` on this machine, after an upgrade for instance; nobody is refused",
		)
		.option("--data <DIR>", "its data folder", ".atoll")
		.action(async ({ data }: { data: string }) => (await import("./up.ts")).restart(data));
	program
		.command("restore <FILE>")
		.description("make a data folder of a backup")
		.option("--data <DIR>", "the data folder, which must not have a database yet", ".atoll")
		.action(async (file: string, { data }: { data: string }) => (await import("./restore.ts")).restore(file, data));
}

const asChoices = (why: string) => why.replace(/^Allowed choices are (.*)\.$/, "must be one of $1");

/** One line, whoever it comes from. `command` is the one that was asked for, where there is one of the name. */
function oneLine({ code, message }: CommanderError, command: Command | undefined): string {
	if (code === "commander.invalidArgument") {
		// `option '--port <PORT>' argument 'x' is invalid. must be …`
		const [, flag, why] = /option '(--[\w-]+)[^']*' argument .*? is invalid\. ?([\s\S]*)$/.exec(message) ?? [];
		if (flag !== undefined) return `${flag} ${asChoices(why)}`;
		const [, value, name, choices] =
			/command-argument value '(.*?)' is invalid for argument '(\w+)'\. ?([\s\S]*)$/.exec(message) ?? [];
		if (name !== undefined) return `${name} ${asChoices(choices)}, not ${JSON.stringify(value)}`;
	}
	const said = message
		.replace(/^error: /, "")
		.replaceAll("\n", " ")
		.trim();
	if (command === undefined) return said;
	const name = command.name();
	return code === "commander.missingArgument"
		? `${said}: atoll ${name} ${command.usage()}`
		: `${said.replace(/\.$/, "")}; \`atoll ${name} --help\` tells what it takes`;
}

/** Runs a command line. What is wrong with it is said in one line, and told by the exit code. */
export async function main(args: string[]): Promise<void> {
	const program = new Command("atoll")
		.description("atoll: a lightweight, isolate-based edge function runtime")
		.version(version(), "-v, --version")
		// Behind a command it is one of that command's.
		.enablePositionalOptions()
		.helpOption("-h, --help")
		.addHelpText("after", HELP)
		.exitOverride()
		.configureOutput({ outputError: () => undefined })
		.showHelpAfterError(false);
	for (const name of Object.keys(SERVING)) addServing(program, name);
	addServer(program);
	addClientCommands(program);
	for (const command of program.commands) command.copyInheritedSettings(program);
	try {
		await program.parseAsync(args, { from: "user" });
	} catch (error) {
		if (error instanceof CommanderError) {
			if (error.exitCode === 0) return;
			if (error.code !== "commander.help") {
				const command = program.commands.find((one) => one.name() === args[0]);
				console.error(`atoll: ${oneLine(error, command)}`);
			}
			process.exitCode = Exit.usage;
		} else if (error instanceof UsageError || error instanceof ClientError) {
			console.error(`atoll: ${printable(error.message)}`);
			process.exitCode = error instanceof ClientError ? error.exitCode : Exit.usage;
		} else throw error;
	}
}

if (import.meta.main) await main(process.argv.slice(2));
