import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createRuntime, type InvocationRecord } from "../src/index.ts";
import { HttpServer } from "../src/server/http-server.ts";
import { median } from "./load.ts";

interface Row {
	function: string;
	coldMs: number;
	warmMs: number;
	overWarmMs: number;
	isolateStartMs: number;
	firstTurnsMs: number;
}

/** How long the first request of a function takes, beside its second: many copies of each, all cold. */
export async function benchCold(): Promise<Row[]> {
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-cold-"));
	const trivial = join(folder, "trivial.js");
	writeFileSync(trivial, `export default { fetch: () => new Response("x") };`);
	const kinds = {
		"a trivial function": trivial,
		"examples/hello.ts": resolve("examples/hello.ts"),
		"examples/app.ts (Hono)": resolve("examples/app.ts"),
		"examples/api.ts (zod)": resolve("examples/api.ts"),
	};
	const copies = 30;
	const runtime = await createRuntime({ data: join(folder, "data"), cache: { parked: 8 } });
	const server = new HttpServer(runtime);
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const { port } = await server.listen(0, "127.0.0.1");
	const get = (host: string) =>
		new Promise<number>((done, reject) => {
			const began = performance.now();
			request({ port, host: "127.0.0.1", agent, headers: { host } }, (res) =>
				res.resume().on("end", () => done(performance.now() - began)),
			)
				.on("error", reject)
				.end();
		});
	const rows: Row[] = [];
	try {
		for (const [kind, [name, entry]] of Object.entries(kinds).entries()) {
			const names = Array.from({ length: copies }, (_, i) => `k${kind}c${i}`);
			await Promise.all(names.map((one) => runtime.deploy({ name: one, hostnames: [`${one}.localhost`], entry })));
			const records: InvocationRecord[] = [];
			const stop = runtime.subscribe({ record: (record) => records.push(record) });
			const cold: number[] = [];
			const warm: number[] = [];
			for (const one of names) {
				// Isolates are parked between requests, as they are between the cold starts of a real day.
				await new Promise((next) => setTimeout(next, 15));
				cold.push(await get(`${one}.localhost`));
				for (let i = 0; i < 5; i++) warm.push(await get(`${one}.localhost`));
			}
			stop();
			const starts = records.filter((record) => record.cold);
			const round = (ms: number) => Math.round(ms * 100) / 100;
			rows.push({
				function: name,
				coldMs: round(median(cold)),
				warmMs: round(median(warm)),
				overWarmMs: round(median(cold) - median(warm)),
				isolateStartMs: round(median(starts.map((record) => record.startMs))),
				firstTurnsMs: round(median(starts.map((record) => record.cpuMs))),
			});
			await Promise.all(names.map((one) => runtime.remove({ name: one })));
		}
	} finally {
		agent.destroy();
		await server.close();
		await runtime.close();
		rmSync(folder, { recursive: true, force: true });
	}
	console.log(`\nCold start: first request of ${copies} functions of each kind, medians\n`);
	console.table(rows);
	return rows;
}
