/** Control's ends of what an edge tells it, of which it keeps nothing: `observe-log.ts FOLDER`. */
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { LogIntake } from "../../src/control/observe/log-intake.ts";

const [, , folder] = process.argv;
await new LogIntake(() => Promise.resolve()).listen(join(folder, "logs.sock"));
for (const name of ["control.sock", "metering.sock"]) {
	const server = createServer((socket) => socket.on("error", () => undefined).resume());
	await once(server.listen(join(folder, name)), "listening");
}
process.send?.("ready");
process.on("disconnect", () => process.exit(0));
