import type { Logger } from "./observer.ts";

/**
 * The outermost net of a process that serves: an exception that no guard has caught (`observe/guard.ts`) ends
 * nobody's service. What it was for is not known, and may hang until its limit; so each is logged as an error, and
 * the process says that it was not well by its exit code. Returns what takes the net away.
 */
export function spreadLastNet(logger: Logger): () => void {
	const onUncaught = (error: unknown, origin: string) => {
		process.exitCode = 1;
		const { stack = String(error) } = Object(error) as Error;
		logger.error(
			{ fault: stack, origin },
			"nobody caught an exception; the server goes on, and should be restarted soon",
		);
	};
	process.on("uncaughtException", onUncaught);
	return () => void process.off("uncaughtException", onUncaught);
}
