/**
 * atoll as a server, with as many copies of a function as asked for: `atoll.ts ISOLATION ENTRY COPIES DATA [STREAMED]`, of
 * which each may stream so many megabytes a second.
 */

import { createRuntime } from "../../src/index.ts";
import { HttpServer } from "../../src/server/http-server.ts";
import { serve } from "../serve.ts";

const [isolation, entry, copies, data, streamed] = process.argv.slice(2);
const limits = streamed === undefined ? {} : { streamedBytesPerSecond: Number(streamed) * 2 ** 20 };
const runtime = await createRuntime({ isolation: isolation as "process" | "inline", data, limits });
const names = Array.from({ length: Number(copies) }, (_, i) => `f${i}`);
await Promise.all(names.map((name) => runtime.deploy({ name, hostnames: [`${name}.localhost`], entry })));
await serve(new HttpServer(runtime), runtime);
