import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { type Load, load, median } from "./load.ts";

const CONNECTIONS = [1, 4, 64];

/** A contender, and what it is asked for. */
interface Asked {
	name: string;
	script: string;
	args: string[];
	/** How many hostnames, and what they begin with. */
	hosts: number;
	host?: string;
	path: string;
}

interface Row {
	contender: string;
	connections: number;
	requestsPerSecond: number;
	p50Us: number;
	p99Us: number;
	errors: number;
}

/** Requests per second and latency of each contender in turn, round after round; the medians are what counts. */
export async function benchHttp({ seconds = 3, rounds = 3 } = {}): Promise<Row[]> {
	const data = mkdtempSync(join(tmpdir(), "atoll-bench-data-"));
	const atoll = (name: string, isolation: string, entry: string, copies = 1) => ({
		name,
		script: "atoll.ts",
		args: [isolation, entry, String(copies), data],
		hosts: copies,
		path: "/",
	});
	const workerd = (name: string, entry: string, copies: number) => ({
		name,
		script: "tenants-workerd.ts",
		args: [join(data, `workerd-${copies}`), String(copies), entry],
		hosts: copies,
		host: "n",
		path: "/",
	});
	const contenders: Asked[] = [
		{ name: "bare node:http", script: "bare.ts", args: [], hosts: 1, path: "/" },
		atoll("atoll, 1 function", "process", "examples/hello.ts"),
		workerd("workerd, 1 function", "examples/hello.ts", 1),
		atoll("atoll, 100 functions", "process", "examples/hello.ts", 100),
		workerd("workerd, 100 functions", "examples/hello.ts", 100),
		atoll("atoll inline, 1 function", "inline", "examples/hello.ts"),
		{ name: "Hono on @hono/node-server", script: "hono.ts", args: [], hosts: 1, path: "/users/42" },
		{ ...atoll("Hono on atoll, 1 function", "process", "examples/app.ts"), path: "/users/42" },
		{ ...workerd("Hono on workerd, 1 function", "examples/app.ts", 1), path: "/users/42" },
		{ ...atoll("Hono on atoll, 100 functions", "process", "examples/app.ts", 100), path: "/users/42" },
		{ ...workerd("Hono on workerd, 100 functions", "examples/app.ts", 100), path: "/users/42" },
	];
	const samples = new Map<string, Load[]>();
	try {
		for (let round = 0; round < rounds; round++) {
			for (const { name, script, args, ...asked } of contenders) {
				const server = await Contender.start(name, script, args);
				await load(server.port, { connections: 16, seconds: 2, ...asked });
				for (const connections of CONNECTIONS) {
					const key = `${name}\n${connections}`;
					const measured = await load(server.port, { connections, seconds, ...asked });
					samples.set(key, [...(samples.get(key) ?? []), measured]);
				}
				await server.stop();
			}
		}
	} finally {
		rmSync(data, { recursive: true, force: true });
	}
	const rows = [...samples].map(([key, loads]): Row => {
		const [contender, connections] = key.split("\n");
		return {
			contender,
			connections: Number(connections),
			requestsPerSecond: Math.round(median(loads.map((one) => one.requestsPerSecond))),
			p50Us: Math.round(median(loads.map((one) => one.p50Us))),
			p99Us: Math.round(median(loads.map((one) => one.p99Us))),
			errors: loads.reduce((sum, one) => sum + one.errors, 0),
		};
	});
	console.log(`\nHTTP: medians of ${rounds} rounds of ${seconds} s, wrk -t1\n`);
	console.table(rows);
	return rows;
}
