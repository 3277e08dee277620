/**
 * atoll as a server that nobody observes, or whose records, figures and usage go to a process beside it as an edge's do:
 * `observe.ts DATA off` or `on`. Serves a function that says hello, as f0, and one that logs a line for each request, as
 * l0. The log takes what comes, and keeps none.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { Follower } from "../../src/edge/follower.ts";
import { LogStream } from "../../src/edge/log-stream.ts";
import { Measures } from "../../src/edge/measures.ts";
import { Meter } from "../../src/edge/meter.ts";
import { createRuntime } from "../../src/index.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { serve } from "../serve.ts";

const [data, what] = process.argv.slice(2);
const runtime = await createRuntime({ data });
if (what === "on") {
	const log = fork(resolve("bench/servers/observe-log.ts"), [data]);
	await once(log, "message");
	process.on("exit", () => log.kill());
	new LogStream(join(data, "logs.sock"), runtime);
	// All that an edge of `atoll up` does beside: figures once a second, and what is used in each round.
	const follower = new Follower(join(data, "control.sock"), runtime);
	await follower.connect();
	new Measures(runtime, follower);
	const meter = new Meter({
		path: join(data, "metering.sock"),
		held: () => runtime.held(),
		inFlight: () => runtime.inFlight,
		onRefused: () => undefined,
	});
	runtime.onUsed = (record, memoryMbMs) => meter.count(record, memoryMbMs);
}
await runtime.deploy({ name: "f0", hostnames: ["f0.localhost"], entry: resolve("examples/hello.ts") });
await runtime.deploy({ name: "l0", hostnames: ["l0.localhost"], entry: resolve("bench/functions/logs.js") });
await serve(new HttpServer(runtime), runtime);
