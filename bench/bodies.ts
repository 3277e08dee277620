import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Contender } from "./contender.ts";
import { load, median } from "./load.ts";

const MEGABYTE = 2 ** 20;
const ROUNDS = 3;
const CONNECTIONS = 16;
const SECONDS = 4;
const ENTRY = "bench/functions/bodies.js";

interface Row {
	contender: string;
	/** Megabytes a second that come in and go out, in requests of one megabyte each way. */
	megabytesPerSecond: number;
	/** Responses a second of a hundred pieces of a kilobyte each. */
	streamsPerSecond: number;
	errors: number;
}

/** Bodies of a megabyte each way, and streams of many small pieces, beside workerd and bare node:http. */
export async function benchBodies(): Promise<Row[]> {
	const found = new Map<string, Omit<Row, "contender">[]>();
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-bodies-"));
	const atoll = (name: string, ...more: string[]) => ({
		name,
		script: "atoll.ts",
		args: ["process", ENTRY, "1", join(folder, "data"), ...more],
		host: "f",
	});
	const contenders = [
		{ name: "bare node:http", script: "bodies.ts", args: [], host: "n" },
		atoll("atoll"),
		atoll("atoll, as fast as it can", "10000"),
		{ name: "workerd", script: "tenants-workerd.ts", args: [join(folder, "workerd"), "1", ENTRY], host: "n" },
	];
	try {
		for (let round = 0; round < ROUNDS; round++) {
			for (const { name, script, args, host } of contenders) {
				const server = await Contender.start(name, script, args);
				try {
					await check(server.port, `${host}0.localhost`);
					const asked = { connections: CONNECTIONS, seconds: SECONDS, host };
					const megabytes = await load(server.port, { ...asked, body: MEGABYTE });
					const streams = await load(server.port, asked);
					const measured = {
						megabytesPerSecond: Math.round(megabytes.requestsPerSecond * 2),
						streamsPerSecond: Math.round(streams.requestsPerSecond),
						errors: megabytes.errors + streams.errors,
					};
					found.set(name, [...(found.get(name) ?? []), measured]);
				} finally {
					await server.stop();
				}
			}
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	const rows = [...found].map(([contender, all]) => ({
		contender,
		megabytesPerSecond: median(all.map((one) => one.megabytesPerSecond)),
		streamsPerSecond: median(all.map((one) => one.streamsPerSecond)),
		errors: all.reduce((sum, { errors }) => sum + errors, 0),
	}));
	console.log(`\nBodies: 1 MB each way, and 100 pieces of 1 KB; c=${CONNECTIONS}, medians of ${ROUNDS} rounds\n`);
	console.table(rows);
	return rows;
}

/** Whether a contender does what it is measured at. */
async function check(port: number, host: string): Promise<void> {
	const body = Buffer.alloc(MEGABYTE, "b");
	const echoed = await ask(port, host, body);
	if (!echoed.equals(body)) throw new Error(`a megabyte came back as ${echoed.length} other bytes`);
	const streamed = await ask(port, host, null);
	if (!streamed.equals(Buffer.alloc(100 * 1024, "a"))) throw new Error(`a stream had ${streamed.length} other bytes`);
}

function ask(port: number, host: string, body: Buffer | null): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		const options = { port, host: "127.0.0.1", method: body === null ? "GET" : "POST", headers: { host } };
		const req = request(options, (res) => {
			const parts: Buffer[] = [];
			res.on("data", (part: Buffer) => parts.push(part));
			res.on("end", () => resolve(Buffer.concat(parts)));
		});
		req.on("error", reject);
		if (body === null) req.end();
		else req.end(body);
	});
}
