import type { ServerConfig } from "../config/server.ts";
import { UsageError } from "../errors.ts";
import type { ToProcess, ToSupervisor } from "./messages.ts";

/** Why a process is to end. */
interface StopReason {
	/** Another one goes on with its work. */
	successor: boolean;
	/** The supervisor has died: nobody waits for the end, or looks after those beside it. */
	orphaned: boolean;
}

/** What a process does, from its start to its end. */
export interface Work {
	/** Where it listens. */
	port: number;
	/** A token that was made up for the operator, which is told this once. */
	token?: string | undefined;
	stop(why: StopReason): Promise<void>;
}

/**
 * Runs a process as the supervisor wants it: it is told when the process is at work, and ends it. It ends too where the
 * supervisor has. `mayFollow` resolves once control has the store.
 */
export async function runSupervised(
	start: (config: ServerConfig, mayFollow: Promise<void>) => Promise<Work>,
): Promise<void> {
	const tell = (message: ToSupervisor) => process.send?.(message, undefined, undefined, () => undefined);
	// A terminal signals all of them; the supervisor decides when they end.
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
	// What has not begun yet leaves nothing behind.
	const leave = () => process.exit(1);
	process.once("disconnect", leave);
	let stop: (why: StopReason) => void = leave;
	const { promise: mayFollow, resolve: follow } = Promise.withResolvers<void>();
	process.on("message", (message: ToProcess) => {
		if (message.kind === "follow") follow();
		else stop({ successor: message.successor, orphaned: false });
	});
	let work: Work;
	try {
		work = await start(JSON.parse(process.argv[2]) as ServerConfig, mayFollow);
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		process.off("disconnect", leave);
		tell({ kind: "failed", problem: error.message });
		process.disconnect?.();
		process.exitCode = 1;
		return;
	}
	let isStopping = false;
	stop = (why) => {
		if (isStopping) return;
		isStopping = true;
		work.stop(why).then(
			() => process.exit(),
			(error: unknown) => {
				console.error(error);
				process.exit(1);
			},
		);
	};
	process.off("disconnect", leave).on("disconnect", () => stop({ successor: false, orphaned: true }));
	tell({ kind: "ready", port: work.port, token: work.token });
}
