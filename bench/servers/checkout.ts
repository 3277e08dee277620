/**
 * A checkout's atoll as a server: `checkout.ts CHECKOUT DATA COPIES`. Serves `examples/hello.ts` as f0, `examples/app.ts` as app0, and
 * so many copies of the latter, none of them asked for yet, as cold0, cold1 …
 */
import { join, resolve } from "node:path";
import { serve } from "../serve.ts";

const [checkout, data, copies] = process.argv.slice(2);
const load = <T>(path: string) => import(join(checkout, "src", path)) as Promise<T>;
const { createRuntime } = await load<typeof import("../../src/index.ts")>("index.ts");
const { HttpServer } = await load<typeof import("../../src/server/http-server.ts")>("server/http-server.ts");

const runtime = await createRuntime({ data });
const deploy = (name: string, entry: string) =>
	runtime.deploy({ name, hostnames: [`${name}.localhost`], entry: resolve("examples", entry) });
await deploy("f0", "hello.ts");
await deploy("app0", "app.ts");
await Promise.all(Array.from({ length: Number(copies) }, (_, i) => deploy(`cold${i}`, "app.ts")));
await serve(new HttpServer(runtime), runtime);
