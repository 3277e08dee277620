import { Argument, type Command, Option } from "commander";
import type { ClientOptions } from "../client/command.ts";
import { MOST_PROFILE_REQUESTS, MOST_PROFILE_SECONDS } from "../limits/profile-bounds.ts";
import { integer, integerOrNone, list } from "./flags.ts";

type Commands = typeof import("../client/commands.ts");

/** Adds what says what comes with an event. */
const withPayload = (command: Command) =>
	command
		.option("--data <TEXT>", "what is sent with it")
		.option("--file <FILE>", "or what is in a file; - for standard input")
		.option("--content-type <TYPE>", "what that is (application/json where it is JSON, else text/plain)");

/** Adds the commands that ask a server: loaded when one is asked for. */
export function addClientCommands(program: Command): void {
	/** A command with what all of them take. */
	const add = (usage: string, about: string, run: (commands: Commands, ...args: never[]) => Promise<void>) => {
		const command = program
			.command(usage)
			.description(about)
			.option("--server <URL>", "the server's admin API (ATOLL_SERVER, else what `atoll login` kept)")
			.option("--tenant <TENANT>", "whose functions", "default")
			.option("--json", "print JSON, for programs");
		// What commander passes last is the command itself.
		return command.action(async (...args: unknown[]) =>
			run(await import("../client/commands.ts"), ...(args.slice(0, -1) as never[])),
		);
	};

	add("deploy [PATH]", "upload a function, and have it get its traffic", (commands, path?: string, options?: never) =>
		commands.deploy(path ?? ".", options as never),
	)
		.option("--name <NAME>", "the function's name (its configuration's, else its folder's)")
		.option("--env <ENVIRONMENT>", "an environment of wrangler's configuration")
		.option("--alias <ALIAS>", "release it under this alias, and not to the function's traffic")
		.option("--percent <PERCENT>", "the share of the traffic that it gets; the rest stays where it is", Number)
		.option("--message <TEXT>", "what is new", "")
		.option("--tag <TAG>", "a name for this version", "")
		.option("--dry-run", "build it, and upload nothing");
	add("list", "the functions that there are", (commands, options: ClientOptions) => commands.list(options));
	add("versions <NAME>", "a function's versions", (commands, name: string, options: ClientOptions) =>
		commands.versions(name, options),
	);
	add(
		"promote <NAME> <VERSION...>",
		"have versions get the traffic: one by its number or id, or several with shares, as 3@90 4@10",
		(commands, name: string, versions: string[], options: never) => commands.promote(name, versions, options),
	)
		.option("--alias <ALIAS>", "of this alias")
		.option("--sticky <BY>", "keep whoever asks with one version: cookie:NAME, header:NAME or address")
		.option("--message <TEXT>", "why", "");
	add(
		"rollback <NAME> [VERSION]",
		"go back to the release before, or to a version",
		(commands, name: string, version: string | undefined, options: never) => commands.rollback(name, version, options),
	)
		.option("--alias <ALIAS>", "of this alias")
		.option("--message <TEXT>", "why", "");
	add(
		"alias <NAME> [ALIAS] [VERSION]",
		"a function's aliases; with a version: what one is to lead to, at ALIAS--<hostname>",
		(commands, name: string, alias: string | undefined, version: string | undefined, options: never) =>
			commands.alias(name, alias, version, options),
	).option("--remove", "take it away");
	add(
		"hostnames <NAME> [HOSTNAME...]",
		"a function's own hostnames; with names: the ones that it is to have",
		(commands, name: string, hostnames: string[], options: never) => commands.hostnames(name, hostnames, options),
	).option("--none", "it is to have none");
	add(
		"secret",
		"put, list or delete a function's secrets; put reads the secret from standard input",
		(commands, action: string, name: string, key: string | undefined, options: ClientOptions) =>
			commands.secret(action, name, key, options),
	)
		.addArgument(new Argument("<ACTION>", "what to do").choices(["put", "list", "delete"]))
		.argument("<NAME>", "the function")
		.argument("[KEY]", "the secret's name, as the function finds it in `env`");
	add(
		"env <NAME> [KEY=VALUE...]",
		"a function's variables; set some, or remove one by KEY=",
		(commands, name: string, pairs: string[], options: ClientOptions) => commands.env(name, pairs, options),
	);
	add(
		"settings <NAME>",
		"how many isolates a function has, and what is kept of it; with flags: what that is to be",
		(commands, name: string, options: never) => commands.settings(name, options),
	)
		.option("--provisioned <N>", "so many of each version are started ahead of requests, and kept", integer(0, 10_000))
		.option(
			"--max-instances <N>",
			"in so many sandboxes at most; none for as many as it needs",
			integerOrNone(0, 10_000),
		)
		.option("--keep-versions <N>", "so many versions and releases are kept beside those in use", integer(1, 1000))
		.option("--keep-days <N>", "for so many days; none for ever", integerOrNone(1, 3650))
		.option("--cron <EXPRESSION>", "its scheduled handler is called then; none for never; may be repeated", list);
	add("pause <NAME>", "have a function answer that it is paused", (commands, name: string, options: ClientOptions) =>
		commands.setPaused(name, true, options),
	);
	add("resume <NAME>", "have it run again", (commands, name: string, options: ClientOptions) =>
		commands.setPaused(name, false, options),
	);
	withPayload(
		add(
			"invoke <NAME>",
			"have a function called with a request, once or later",
			(commands, name: string, options: never) => commands.invoke(name, options),
		),
	)
		.option("--path <PATH>", "the request's path (/)")
		.option("--delay <SECONDS>", "in so many seconds, up to 12 hours", integer(0, 43_200))
		.option("--at <TIME>", "or then, as 2026-12-01T09:00:00Z")
		.option("--retries <N>", "it is tried so often again (3)", integer(0, 100))
		.option("--on-success <WHOM>", "who is told: queue:NAME or function:NAME")
		.option("--on-failure <WHOM>", "the same for what has failed at last")
		.option("--key <KEY>", "whoever asks again under it is given the first invocation")
		.option("--wait", "until it is over, and tell what came of it");
	withPayload(
		add(
			"trigger",
			"have a function's handler called now, once, and tell what came of it",
			(commands, what: string, name: string, options: never) => commands.trigger(what, name, options),
		)
			.addArgument(new Argument("<WHAT>", "which handler").choices(["cron", "queue", "event"]))
			.argument("<NAME>", "the function"),
	)
		.option("--cron <EXPRESSION>", "of cron: the expression that the handler is told")
		.option("--queue <NAME>", "of queue: which one the message is of")
		.option("--type <TYPE>", "of event: its type")
		.option("--source <SOURCE>", "of event: its source")
		.option("--dev <PORT>", "ask the `atoll dev` at this port of this machine", integer(1, 65_535));
	add(
		"source",
		"list, add or remove where events come from; add reads the secret from standard input",
		(commands, action: string, name: string | undefined, options: never) => commands.source(action, name, options),
	)
		.addArgument(new Argument("<ACTION>", "what to do").choices(["list", "add", "remove"]))
		.argument("[NAME]", "the source: its events are sent to /events/NAME")
		.option("--scheme <SCHEME>", "how they are signed: github, stripe, standard-webhooks or cloudevents")
		.option("--function <NAME>", "whose event handler is called")
		.option("--queue <NAME>", "or the queue that they are sent to")
		.option("--types <TYPES>", "which of them, with commas; invoice.* for all that begin so (all)")
		.option("--retries <N>", "the function is tried so often again (8)", integer(0, 100))
		.option("--dead-letter-queue <NAME>", "who is told of what is given up")
		.option("--rules <FILE>", "or a file with all rules in JSON, as the admin API takes them")
		.option("--secret-file <FILE>", "where the secret is, in place of standard input; may be repeated", list)
		.option("--keep-secrets", "it keeps those that it has");
	add(
		"alerts",
		"alerts that there are, what receivers were told, and the rules, receivers and silences that this goes by",
		(commands, what: string, action: string | undefined, name: string | undefined, options: never) =>
			commands.alerts(what, action, name, options),
	)
		.addArgument(
			new Argument("[WHAT]", "what to look at or change")
				.choices(["list", "deliveries", "rule", "receiver", "silence"])
				.default("list"),
		)
		.argument(
			"[ACTION]",
			"list; of a rule get, set, test, remove; of a receiver set, test, remove; of a silence add, remove",
		)
		.argument("[NAME]", "which one")
		.option("--operator", "the operator's own, and alerts of all tenants, in place of a tenant's")
		.option("--settings <FILE>", "of set: a file in JSON with what the admin API takes; - for standard input")
		.option("--kind <KIND>", "of receiver set: webhook, slack or alertmanager")
		.option("--url <URL>", "of receiver set: where it is")
		.option("--secret", "of receiver set: read its secret from standard input; else it keeps the one that it has")
		.option("--matcher <LABEL=VALUE>", "the alerts: severity=critical, function!=test-*; may be repeated", list)
		.option("--for <DURATION>", "of silence add: for so long, as 2h (1h)")
		.option("--comment <TEXT>", "of silence add: why");
	add("tail <NAME>", "what a function does, as it does it", (commands, name: string, options: never) =>
		commands.tail(name, options),
	)
		.option("--header <NAME:VALUE>", "requests with this header alone; VALUE may be left out; may be repeated", list)
		.option("--ip <ADDRESS>", "requests from this address alone; may be repeated", list)
		.option(
			"--outcome <OUTCOME>",
			"what ended so alone, as exception; error for all that failed; may be repeated",
			list,
		)
		.option("--method <METHOD>", "requests of this method alone; may be repeated", list)
		.option("--version <VERSION>", "this version alone, by its number or id")
		.option("--search <TEXT>", "what has logged this alone; may be repeated", list)
		.option("--sample <SHARE>", "such a share of all, as 0.1");
	add(
		"logs [QUERY]",
		"what functions have done and logged, by a query",
		(commands, query: string | undefined, options: never) => commands.logs(query ?? "", options),
	)
		.option("--since <TIME>", "from when on: 1h (ago), 2d, or 2026-11-30T10:20:00Z (1h)")
		.option("--until <TIME>", "until when (now)")
		.option("--limit <N>", "so many entries at most", integer(1, 1000), 100)
		.option("--cursor <CURSOR>", "go on where a page has ended")
		.option("--function <NAME>", "of this function alone")
		.option("--all-tenants", "of all tenants")
		.option("--follow", "and what comes from now on, until it is ended");
	add(
		"profile <NAME>",
		"a CPU profile of a function, in a sandbox of its own, as a .cpuprofile file",
		(commands, name: string, options: never) => commands.profile(name, options),
	)
		.option("--seconds <N>", "how long it takes", integer(1, MOST_PROFILE_SECONDS), 10)
		.option("--requests <N>", "it ends sooner, once so many requests are done", integer(1, MOST_PROFILE_REQUESTS))
		.option("--version <VERSION>", "of this version, by its number or id (the one with the most traffic)")
		.option("--output <FILE>", "where it is written (NAME-<time>.cpuprofile)")
		.option("--dev <PORT>", "ask the `atoll dev` at this port of this machine", integer(1, 65_535));
	add("cache", "remove responses from a function's cache", (commands, _: string, name: string, options: never) =>
		commands.purge(name, options),
	)
		.addArgument(new Argument("<ACTION>", "what to do").choices(["purge"]))
		.argument("<NAME>", "the function")
		.option("--cache <CACHE>", "a cache of this name (the function's default one)")
		.option("--url <URL>", "what is kept at this URL; may be repeated", list)
		.option("--tag <TAG>", "what has this in its Cache-Tag header; may be repeated", list)
		.option("--all", "all that it holds");
	const period = (command: Command) =>
		command
			.option("--month <MONTH>", "of a month, as 2026-12 (this one)")
			.option("--csv", "print CSV, for spreadsheets");
	period(
		add("usage", "what functions have used, by day, month, function or tenant", (commands, options: never) =>
			commands.usage(options),
		),
	)
		.option("--all-tenants", "of all tenants, and not of --tenant alone")
		.option("--from <DAY>", "the first day of UTC, as 2026-12-01 (the first of this month)")
		.option("--to <DAY>", "the last day (today)")
		.addOption(
			new Option("--by <WHAT>", "what it is added up by")
				.choices(["day", "month", "function", "tenant"])
				.default("day"),
		);
	period(
		add("invoice", "what a tenant's month costs, by unit and tier, and by function", (commands, options: never) =>
			commands.invoice(options),
		),
	);
	add(
		"budget",
		"what a tenant may use, and what of that is gone; with flags: what it may use from now on",
		(commands, options: never) => commands.budget(options),
	)
		.option("--requests-per-day <N>", "so many requests a day; none for as many as it likes", integerOrNone(0, 1e15))
		.option("--requests-per-month <N>", "so many a month", integerOrNone(0, 1e15))
		.option("--cpu-ms-per-day <N>", "so much processor time a day, in milliseconds", integerOrNone(0, 1e15))
		.option("--cpu-ms-per-month <N>", "so much a month", integerOrNone(0, 1e15))
		.option("--amount-per-month <AMOUNT>", "so much money a month, as 25.00; none for as much as it likes")
		.option("--warn-at <PERCENT>", "it is told when so much of it is gone (80)", integer(1, 100));
	add(
		"balance",
		"what a tenant has paid ahead; add TENANT AMOUNT adds to it",
		(commands, action: string, tenant: string, amount: string | undefined, options: never) =>
			commands.balance(action, tenant, amount, options),
	)
		.addArgument(new Argument("<ACTION>", "what to do").choices(["show", "add"]))
		.argument("<TENANT>", "whose it is")
		.argument("[AMOUNT]", "how much, as 10.00; less than nothing takes it away (`add -- TENANT -10.00`)")
		.option("--reference <TEXT>", "an amount of one reference is added once");
	add("delete <NAME>", "remove a function with all its versions", (commands, name: string, options: ClientOptions) =>
		commands.remove(name, options),
	);
	add(
		"sql",
		"SQL databases: list, create or delete them, execute SQL, apply a folder's migrations, export one to a file",
		(commands, action: string, name: string | undefined, what: string | undefined, options: never) =>
			commands.sql(action, name, what, options),
	)
		.addArgument(
			new Argument("<ACTION>", "what to do").choices(["list", "create", "delete", "execute", "migrate", "export"]),
		)
		.argument("[DATABASE]", "its name or id")
		.argument("[WHAT]", "the statements to execute, the folder of migrations (migrations), or the file to export to")
		.option("--file <FILE>", "execute this file of SQL, all of it or nothing");
	add(
		"token",
		"list, create or revoke tokens; a new one acts for --tenant alone",
		(commands, action: string, id: string | undefined, options: never) => commands.token(action, id, options),
	)
		.addArgument(new Argument("<ACTION>", "what to do").choices(["list", "create", "revoke"]))
		.argument("[ID]", "the one to revoke")
		.option("--label <TEXT>", "what it is for, as the audit log calls it (its scope)", "")
		.addOption(
			new Option("--scope <SCOPE>", "what it allows; each includes those before it")
				.choices(["read", "deploy", "admin"])
				.default("deploy"),
		)
		.option("--functions <NAMES>", "the functions that it acts on, with commas (all of the tenant's)")
		.option("--all-tenants", "it acts for every tenant")
		.option("--days <N>", "so long it is good for (for ever)", integer(1, 3650));
	add(
		"login",
		"keep --server and a token, which is read from standard input, for the commands to come",
		(commands, options: ClientOptions) => commands.login(options),
	);
	add("whoami", "what the token allows, and which server this is", (commands, options: ClientOptions) =>
		commands.whoami(options),
	);
	add(
		"backup <FILE>",
		"all that is needed to restore the server, but for the key of its secrets",
		(commands, file: string, options: ClientOptions) => commands.backup(file, options),
	);
	add("doctor", "what is in force on the server", (commands, options: ClientOptions) => commands.doctor(options));
	program
		.command("init [DIR]")
		.description("a new function in a folder")
		.option("--template <NAME>", "api, hono or html", "api")
		.action(async (folder: string | undefined, { template }: { template: string }) =>
			(await import("../client/init.ts")).init(folder ?? ".", template),
		);
}
