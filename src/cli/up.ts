import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isatty } from "node:tty";
import { z } from "zod";
import { ConfigFile, shown } from "../config/config-file.ts";
import { settleOtlp } from "../config/otlp.ts";
import { checkServer, type ServerConfig, serverFromEnvironment } from "../config/server.ts";
import { UsageError } from "../errors.ts";
import { createLogger } from "../observe/logger.ts";
import { giveBackWhenQuiet } from "../processes/spare-memory.ts";
import { serverAt } from "../supervisor/pid-file.ts";
import { Supervisor } from "../supervisor/supervisor.ts";
import type { Milliseconds } from "../units.ts";
import { serverCeilings } from "./ceilings.ts";

const CONFIG = "atoll.server.jsonc";

/** What its file says, the environment over it, and flags over both. Throws UsageError that names what makes no sense. */
function configOf(flags: Partial<ServerConfig>, file: string | undefined): ServerConfig {
	const path = resolve(file ?? CONFIG);
	if (file !== undefined && !existsSync(path)) throw new UsageError(`${file}: there is no such file`);
	const { $schema: _, ...said } = existsSync(path)
		? new ConfigFile(dirname(path), path).check(z.looseObject({ $schema: z.string().optional() }))
		: {};
	const checked = checkServer(
		{ ...said, ...serverFromEnvironment(process.env), ...flags },
		existsSync(path) ? shown(path) : "atoll up",
	);
	const maxLimits = serverCeilings(checked.limits, checked.maxLimits);
	const { otlp, variables } = settleOtlp(checked.otlp, process.env);
	Object.assign(process.env, variables);
	return { ...checked, maxLimits, otlp, data: resolve(checked.data) };
}

/** `atoll up`: a platform on this machine, until a signal ends it. */
export async function up(flags: Partial<ServerConfig>, file?: string): Promise<void> {
	const config = configOf(flags, file);
	const logger = createLogger();
	const supervisor = await Supervisor.start(config, { notice: (level, message) => logger[level]({}, message) });
	try {
		const { edge, control } = supervisor.ports;
		const { token } = supervisor;
		const restart = () => {
			logger.info({}, "restarting");
			supervisor.restart().then(
				() => logger.info({}, "restarted"),
				(error: Error) => logger.error({}, `the restart failed: ${error.message}`),
			);
		};
		// Whoever hears that it is ready may signal it.
		const stopped = untilStopped(restart);
		logger.info(
			{ port: edge, adminPort: control, domain: config.domain, data: config.data, ...(token !== null && { token }) },
			"ready",
		);
		if (process.stdout.isTTY)
			console.log(
				`functions  http://NAME.${config.domain}:${edge}\nadmin API  http://${config.adminHost}:${control}\n${token === null ? "" : `token      ${token}   (told this once)\n`}`,
			);
		giveBackWhenQuiet();
		await stopped;
	} finally {
		await supervisor.close();
		await logger.close();
	}
}

/** The standard streams that are a terminal. */
const terminals = () => [0, 1, 2].filter((fd) => isatty(fd));

/** A shell that ends says so before its terminal is gone: that is looked at so long after. */
const TERMINAL_GOES_MS: Milliseconds = 200;

/**
 * Resolves when the server is to end: at SIGINT, SIGTERM, or a SIGHUP with which the terminal goes that it was started
 * in. Any other SIGHUP asks for a restart.
 */
function untilStopped(restart: () => void): Promise<void> {
	const atStart = terminals();
	return new Promise<void>((stop) => {
		process.once("SIGINT", stop);
		process.once("SIGTERM", stop);
		process.on("SIGHUP", () => {
			if (atStart.length === 0) restart();
			else
				setTimeout(() => {
					if (terminals().length < atStart.length) stop();
					else restart();
				}, TERMINAL_GOES_MS);
		});
	});
}

/** `atoll restart` */
export function restart(data: string): Promise<void> {
	const pid = serverAt(data);
	if (pid === null) throw new UsageError(`no \`atoll up\` is at work on ${data}; name its data folder with --data`);
	process.kill(pid, "SIGHUP");
	console.log("it is restarting; its log tells when that is done");
	return Promise.resolve();
}
