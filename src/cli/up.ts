import { resolve } from "node:path";
import { checkServer, type ServerConfig } from "../config/server.ts";
import { createLogger } from "../observe/logger.ts";
import { Supervisor } from "../supervisor/supervisor.ts";

/** `atoll up`: a platform on this machine, until a signal ends it. */
export async function up(given: Partial<ServerConfig>): Promise<void> {
	const checked = checkServer(given, "atoll up");
	const config = { ...checked, data: resolve(checked.data) };
	const logger = createLogger();
	const supervisor = await Supervisor.start(config, { notice: (level, message) => logger[level]({}, message) });
	try {
		const { edge, control } = supervisor.ports;
		const { token } = supervisor;
		logger.info(
			{ port: edge, adminPort: control, domain: config.domain, data: config.data, ...(token !== null && { token }) },
			"ready",
		);
		if (process.stdout.isTTY)
			console.log(
				`functions  http://NAME.${config.domain}:${edge}\nadmin API  http://${config.adminHost}:${control}\n${token === null ? "" : `token      ${token}   (told this once)\n`}`,
			);
		process.on("SIGHUP", () => {
			logger.info({}, "restarting");
			supervisor.restart().then(
				() => logger.info({}, "restarted"),
				(error: Error) => logger.error({}, `the restart failed: ${error.message}`),
			);
		});
		await new Promise<void>((stop) => {
			process.once("SIGINT", stop);
			process.once("SIGTERM", stop);
		});
	} finally {
		await supervisor.close();
		await logger.close();
	}
}
