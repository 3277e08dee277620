/** The edge of `atoll up`: it serves functions' clients, and opens no database. */

import { createRuntime } from "../index.ts";
import { spreadLastNet } from "../observe/last-net.ts";
import { createLogger } from "../observe/logger.ts";
import { HttpServer } from "../server/http-server.ts";
import { LISTEN_FD } from "../supervisor/messages.ts";
import { runSupervised } from "../supervisor/supervised.ts";
import { Follower } from "./follower.ts";

await runSupervised(async ({ limits, maxLimits, tenantLimits, cache, allowEgress, sandboxes, cgroup, drainMs }) => {
	const logger = createLogger();
	const runtime = await createRuntime({
		// The working directory is the data folder.
		data: ".",
		limits,
		maxLimits,
		tenantLimits,
		egress: { allow: allowEgress },
		// Control says what is kept.
		cache: { ...cache, maxDiskBytes: Number.MAX_SAFE_INTEGER },
		logger,
		...(sandboxes === undefined ? {} : { sandboxes }),
		...(cgroup === undefined ? {} : { cgroup }),
	});
	const server = new HttpServer(runtime);
	const follower = new Follower("control.sock", runtime);
	await follower.start();
	const { port } = await server.listenOn(LISTEN_FD);
	spreadLastNet(logger);
	logger.info({ containment: runtime.containment }, "the edge is at work");
	return {
		port,
		async stop(successor) {
			if (successor) await server.drain(drainMs);
			follower.close();
			await server.close();
			await runtime.close();
			await logger.close();
		},
	};
});
