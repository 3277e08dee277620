/**
 * atoll as a server whose records go nowhere, or to a log beside it as an edge's do: `observe.ts DATA off` or `on`. Serves a
 * function that says hello, as f0, and one that logs a line for each request, as l0. The log takes what comes, and keeps none.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { LogStream } from "../../src/edge/log-stream.ts";
import { createRuntime } from "../../src/index.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { serve } from "../serve.ts";

const [data, what] = process.argv.slice(2);
const runtime = await createRuntime({ data });
const path = join(data, "logs.sock");
if (what === "on") {
	const log = fork(resolve("bench/servers/observe-log.ts"), [path]);
	await once(log, "message");
	new LogStream(path, runtime);
}
await runtime.deploy({ name: "f0", hostnames: ["f0.localhost"], entry: resolve("examples/hello.ts") });
await runtime.deploy({ name: "l0", hostnames: ["l0.localhost"], entry: resolve("bench/functions/logs.js") });
await serve(new HttpServer(runtime), runtime);
