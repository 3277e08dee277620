import { chmodSync, rmSync } from "node:fs";
import type { Server } from "node:net";

/** Has a server listen at a path, for this user alone; what an earlier one has left there is removed. */
export async function listenAt(server: Server, path: string): Promise<void> {
	rmSync(path, { force: true });
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(path, () => resolve());
	});
	chmodSync(path, 0o600);
}
