import { chmodSync, rmSync } from "node:fs";
import type { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Milliseconds } from "../../units.ts";

/** Has a server listen at a path, for this user alone; what an earlier one has left there is removed. */
export async function listenAt(server: Server, path: string): Promise<void> {
	rmSync(path, { force: true });
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(path, () => resolve());
	});
	chmodSync(path, 0o600);
}

/** Takes no more connections, and resolves once those that are there have gone; after so long `end` is to end them. */
export async function closeWithin(server: Server, ms: Milliseconds, end: () => unknown): Promise<void> {
	const closed = new Promise<void>((resolve) => server.close(() => resolve()));
	if (ms > 0) await Promise.race([closed, sleep(ms, undefined, { ref: false })]);
	await end();
	await closed;
}
