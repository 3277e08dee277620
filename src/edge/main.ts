/** The edge of `atoll up`: it serves functions' clients, and opens no database. */

import { eventsHostname } from "../config/server.ts";
import { METERING } from "../feed/usage.ts";
import { spreadLastNet } from "../observe/last-net.ts";
import { createLogger } from "../observe/logger.ts";
import { giveBackWhenQuiet } from "../processes/spare-memory.ts";
import { Runtime } from "../runtime.ts";
import { HttpServer } from "../server/http-server.ts";
import { LISTEN_FD } from "../supervisor/messages.ts";
import { runSupervised } from "../supervisor/supervised.ts";
import { earlyRequests } from "./early-requests.ts";
import { Follower } from "./follower.ts";
import { LogStream } from "./log-stream.ts";
import { Measures } from "./measures.ts";
import { Meter } from "./meter.ts";
import { SpanStream } from "./span-stream.ts";

await runSupervised(async (config, mayFollow) => {
	const { limits, maxLimits, tenantLimits, cache, allowEgress, sandboxes, dataProcesses, cgroup, drainMs } = config;
	const logger = createLogger();
	const runtime = await Runtime.begin({
		// The working directory is the data folder.
		data: ".",
		limits,
		maxLimits,
		tenantLimits,
		dataProcesses,
		egress: { allow: allowEgress },
		// Control says what is kept.
		cache: { ...cache, maxDiskBytes: Number.MAX_SAFE_INTEGER },
		logger,
		...(sandboxes === undefined ? {} : { sandboxes }),
		...(cgroup === undefined ? {} : { cgroup }),
	});
	const follower = new Follower("control.sock", runtime);
	const measures = new Measures(runtime, follower);
	const logStream = new LogStream("logs.sock", runtime);
	const spans = new SpanStream(runtime, follower, config);
	runtime.resume();
	const known = () => follower.heardAll().then(() => follower.complete);
	const server = new HttpServer(runtime.receiving(eventsHostname(config), earlyRequests(runtime, follower), known));
	await mayFollow;
	const meter = new Meter({
		path: METERING,
		held: () => runtime.held(),
		inFlight: () => runtime.inFlight,
		onRefused: (tenants) => runtime.refusals.set(tenants),
	});
	runtime.onUsed = (record, memoryMbMs) => meter.count(record, memoryMbMs);
	await Promise.all([runtime.ready, follower.connect()]);
	const { port } = await server.listenOn(LISTEN_FD);
	// Whoever comes now is not to wait for all that there is.
	follower.follow();
	spreadLastNet(logger);
	logger.info({ containment: runtime.containment }, "the edge is at work");
	giveBackWhenQuiet(() => runtime.inFlight === 0);
	return {
		port,
		async stop({ successor }) {
			meter.release();
			if (successor) await server.drain(drainMs);
			follower.leave();
			await server.close();
			await runtime.close();
			measures.close();
			await meter.close();
			spans.close();
			follower.close();
			await logStream.close();
			await logger.close();
		},
	};
});
