/** The control process of `atoll up`: it alone opens the store, and traffic goes on without it. */
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createLogger } from "../observe/logger.ts";
import { giveBackWhenQuiet } from "../processes/spare-memory.ts";
import { LISTEN_FD } from "../supervisor/messages.ts";
import { runSupervised } from "../supervisor/supervised.ts";
import type { Milliseconds } from "../units.ts";
import { Control } from "./control.ts";
import { controlServer } from "./server.ts";

/** Requests that are worked on have so long when it is to end: an upload's build takes some seconds. */
const FINISH_MS: Milliseconds = 20_000;
/** Edges that end with it have so long: requests in flight are finished there. */
const EDGES_MS: Milliseconds = 38_000;
const IDLE_MS: Milliseconds = 100;
const LEAST_TOKEN = 16;

await runSupervised(async (config) => {
	const logger = createLogger();
	const log = (level: "info" | "warn" | "error", message: string) => logger[level]({}, message);
	const control = await Control.open(config, log);
	const given = process.env.ATOLL_ADMIN_TOKEN;
	if (given !== undefined && given.length < LEAST_TOKEN)
		log("warn", `ATOLL_ADMIN_TOKEN has fewer than ${LEAST_TOKEN} characters, and lets in whoever guesses it`);
	const token = (await control.tokens.first(given)) ?? undefined;
	await control.budgets.look();
	await control.metering.listen();
	await control.feed.listen("control.sock");
	await control.logIntake.listen("logs.sock");
	control.alerts.start();
	const server = controlServer(control);
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen({ fd: LISTEN_FD }, resolve);
	});
	giveBackWhenQuiet();
	return {
		port: (server.address() as AddressInfo).port,
		token,
		async stop({ successor, orphaned }) {
			const until = performance.now() + EDGES_MS;
			// Who comes from now on waits in the socket's queue; who is here is answered.
			const closed = new Promise((resolve) => server.close(resolve));
			control.closeTails();
			const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
			await Promise.race([closed, sleep(FINISH_MS, undefined, { ref: false })]);
			clearInterval(idle);
			const edgesMs = successor ? 0 : Math.max(0, until - performance.now());
			// Whoever starts anew has nobody to tell it when the store is free.
			await control.close({ edgesMs, holdsStore: !orphaned });
			server.closeAllConnections();
			await closed;
			await logger.close();
		},
	};
});
