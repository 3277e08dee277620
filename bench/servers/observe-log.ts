/** Control's end of an edge's log, which keeps nothing: `observe-log.ts PATH`. */
import { LogIntake } from "../../src/control/observe/log-intake.ts";

await new LogIntake(() => Promise.resolve()).listen(process.argv[2]);
process.send?.("ready");
process.on("disconnect", () => process.exit(0));
