import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import { setFlagsFromString } from "node:v8";
import pino from "pino";
import { Bench } from "tinybench";
import { Builder } from "../src/build/builder.ts";
import { ArtifactStore } from "../src/cache/artifact-store.ts";
import { Meter } from "../src/edge/meter.ts";
import { IsolateHost } from "../src/isolates/host.ts";
import { BODY_FIELDS, CommandWriter, readCommand } from "../src/link/commands.ts";
import { FrameReader } from "../src/link/frame-reader.ts";
import { FrameWriter } from "../src/link/frame-writer.ts";
import type { SandboxCommands, SandboxEvents } from "../src/link/protocol.ts";
import { encodeRequestHead } from "../src/link/request-head.ts";
import { noteWriter, RunningNote } from "../src/link/running-note.ts";
import { newRecord } from "../src/observe/record.ts";
import { recordLine } from "../src/observe/record-line.ts";
import { V8_FLAGS } from "../src/processes/confinement.ts";
import { Launcher } from "../src/processes/launcher.ts";
import { parseHost } from "../src/router/hostname.ts";
import { Router } from "../src/router/router.ts";

const HEAD = encodeRequestHead({
	method: "GET",
	url: "http://f.localhost/users/42",
	headers: ["host", "f.localhost", "accept", "*/*", "user-agent", "bench"],
	body: "none",
	client: null,
});

/** Pieces of the prelude, each timed inside an isolate, a thousand times a turn. */
const PRELUDE: Record<string, string> = {
	"new Headers + get": `new Headers({ accept: "*/*", host: "a" }).get("accept")`,
	"new URL + pathname": `new URL("http://a.localhost/users/42?q=1").pathname`,
	"new URLSearchParams + get": `new URLSearchParams("a=1&b=2&c=3").get("b")`,
	"new Response(string)": `new Response("hello", { headers: { "x-a": "b" } })`,
	"new Request": `new Request("http://a.localhost/", { headers: { accept: "*/*" } })`,
	"TextEncoder.encode, 200 characters": `new TextEncoder().encode(TEXT)`,
	"TextDecoder.decode, 200 bytes": `new TextDecoder().decode(BYTES)`,
	"crypto.randomUUID": "crypto.randomUUID()",
};

interface Row {
	task: string;
	us: number;
	plusMinus: string;
}

/** Times the parts: the turn, the link, the router, the note, and the prelude's classes. */
export async function benchMicro(): Promise<Row[]> {
	// The isolates are in this very process, which shall treat them as a sandbox does.
	for (const flag of V8_FLAGS) setFlagsFromString(flag);
	const folder = mkdtempSync(join(tmpdir(), "atoll-bench-micro-"));
	const store = await ArtifactStore.open(folder);
	const launcher = new Launcher();
	const builder = await Builder.create(store, launcher);
	const image = async (entry: string) => {
		const { artifact } = await builder.build({
			name: "f",
			entry: resolve(entry),
			development: false,
		});
		return {
			filename: "f.js",
			code: artifact.code,
			codeCache: artifact.codeCache,
			env: "{}",
			bindings: "[]",
			flags: "",
			memoryMb: 128,
			timers: 100,
			logBytes: 1000,
			subrequests: 10,
			tenant: 0,
			startupCpuMs: 2000,
		};
	};
	const images = {
		hello: await image("examples/hello.ts"),
		app: await image("examples/app.ts"),
		prelude: await image("bench/functions/prelude.js"),
	};
	let last: unknown;
	const events: SandboxEvents = {
		want: () => undefined,
		message: (...message) => {
			last = message;
		},
		done: () => undefined,
		failed: (_version, _attempt, failure) => {
			throw new Error(failure.message);
		},
		stats: () => undefined,
		profiled: () => undefined,
		flush: () => undefined,
		clogged: () => false,
	};
	const host = new IsolateHost(
		{
			snapshot: builder.snapshot,
			maxIsolates: 500,
			maxBytes: 4e9,
			maxProcessBytes: 8e9,
			maxUnreadBytes: 1e9,
			parked: 2,
			memoryMb: 128,
			frozenClocks: true,
		},
		events,
	);
	let attempt = 1;
	const turn = (version: number, head = HEAD, body?: Uint8Array) => {
		host.request({ attempt: attempt++, version, cpuMs: 60_000, cutMs: 0, head, body });
		host.run();
	};
	host.load(1, images.hello);
	host.load(2, images.app);
	for (let i = 0; i < 100; i++) host.load(100 + i, images.app);
	host.load(3, images.prelude);

	const bench = new Bench({ time: 500, warmupTime: 300 });
	bench.add("turn: hello", () => turn(1));
	bench.add("turn: Hono app", () => turn(2));
	// Half a second of warming up would be ten turns of each.
	for (let i = 0; i < 30_000; i++) turn(100 + (i % 100));
	let next = 0;
	bench.add("turn: Hono app, going round 100 isolates", () => turn(100 + (next++ % 100)));

	const note = RunningNote.create();
	const write = noteWriter(note.descriptor);
	let noted = 0;
	bench.add("note whose turn it is", () => write(++noted, false));

	const pipe = new PassThrough();
	const writer = new FrameWriter(pipe);
	const commands = new CommandWriter(writer);
	const taken = {
		request: (start) => {
			last = start;
		},
	} as Partial<SandboxCommands> as SandboxCommands;
	const reader = new FrameReader({ maxBytes: 1e9, bodyFields: BODY_FIELDS }, (frame) => readCommand(frame, taken));
	pipe.on("data", (chunk: Buffer) => reader.read(chunk));
	bench.add("link: 64 request frames written and read", () => {
		for (let i = 0; i < 64; i++)
			commands.request({ attempt: i, version: 1, cpuMs: 1000, cutMs: 10, head: HEAD, body: undefined });
		writer.flush();
	});

	const router = new Router<number>();
	for (let i = 0; i < 100_000; i++) router.set(`host${i}.example.com`, i);
	router.set("*.wild.example.com", 1);
	const small = new Router<number>();
	small.set("host1.example.com", 1);
	bench.add("router: exact, 1 hostname", () => {
		last = small.lookup("host1.example.com");
	});
	bench.add("router: exact, 100,000 hostnames", () => {
		last = router.lookup("host77777.example.com");
	});
	bench.add("router: wildcard, 100,000 hostnames", () => {
		last = router.lookup("a.b.wild.example.com");
	});
	bench.add("parse a Host header", () => {
		last = parseHost("host77777.example.com:8787");
	});
	const record = { ...newRecord("7e45d648-5458-4d00-97ea-d52aa6d22a6b", "http", "http"), url: "http://a.test/x?y=1" };
	const logger = pino({ base: null, timestamp: () => "" }, { write: () => undefined });
	bench.add("log: a record by pino", () => logger.info(record, "request"));
	bench.add("log: a record as atoll writes it, and its copy", () => {
		last = recordLine({ ...record });
	});
	const meter = new Meter({ path: join(folder, "nobody.sock"), held: () => [], onRefused: () => undefined });
	const told = { ...record, tenant: "acme", attempts: 1 };
	const functions = Array.from({ length: 100 }, (_, i) => ({ ...told, function: `f${i}` }));
	bench.add("meter: count a record, of 100 functions", () => meter.count(functions[next++ % 100], 1280));
	bench.add("meter: a round's message of 1 function", () => {
		last = JSON.stringify({
			kind: "used",
			named: [],
			values: [[17, 48_112, 912_001, 6_158_336, 0, 481_120, 96_224, 3]],
		});
	});
	for (const [name, code] of Object.entries(PRELUDE)) {
		const body = Buffer.from(code);
		const head = HEAD.replace("GET\nnone", "POST\nwhole");
		bench.add(`prelude ×1000: ${name}`, () => turn(3, head, body));
	}
	await bench.run();
	await meter.close();
	host.close();
	note.close();
	await builder.close();
	await launcher.close();
	rmSync(folder, { recursive: true, force: true });
	void last;
	const rows = bench.tasks.map(({ name, result }): Row => {
		if (result.state !== "completed") throw new Error(`${name}: ${result.state}`);
		const { latency } = result;
		const scale = name.startsWith("prelude ×1000: ") ? 1 : 1000;
		return {
			task: name.replace("prelude ×1000", "prelude"),
			us: Math.round(latency.p50 * scale * 100) / 100,
			plusMinus: `${latency.rme.toFixed(1)} %`,
		};
	});
	console.log("\nParts: median time of each, in µs\n");
	console.table(rows);
	return rows;
}
