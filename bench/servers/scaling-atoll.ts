/** `scaling-atoll.ts DATA SANDBOXES NEIGHBOURS`: neighbours `n0`, `n1` …, and `works`, which computes, at `<name>.localhost`. */
import { setFlagsFromString } from "node:v8";
import { createRuntime } from "../../src/index.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { serve } from "../serve.ts";

// As bin/atoll.js does.
setFlagsFromString("--no-concurrent-marking");
const [data, sandboxes, neighbours] = process.argv.slice(2);
const runtime = await createRuntime({ data, sandboxes: Number(sandboxes) });
const deploy = (name: string, entry: string) => runtime.deploy({ name, hostnames: [`${name}.localhost`], entry });
await Promise.all([
	...Array.from({ length: Number(neighbours) }, (_, i) => deploy(`n${i}`, "examples/hello.ts")),
	deploy("works", "bench/functions/works.ts"),
]);
await serve(new HttpServer(runtime), runtime);
