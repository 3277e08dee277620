/** Control's ends of what an edge tells it, of which it keeps nothing: `observe-log.ts FOLDER`. */
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { EdgeConnections } from "../../src/control/metering/edge-connections.ts";
import { LogIntake } from "../../src/control/observe/log-intake.ts";

const [, , folder] = process.argv;
await new LogIntake(() => Promise.resolve()).listen(join(folder, "logs.sock"));
const ignored = () => undefined;
await new EdgeConnections({ onTold: ignored, onForgotten: ignored }).listen(join(folder, "metering.sock"));
const server = createServer((socket) => socket.on("error", ignored).resume());
await once(server.listen(join(folder, "control.sock")), "listening");
process.send?.("ready");
process.on("disconnect", () => process.exit(0));
