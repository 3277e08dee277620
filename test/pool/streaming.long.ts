import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { HttpServer } from "../../src/server/http-server.ts";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

const MB = 1024 * 1024;

function residentMb(pid: number): number {
	return (Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096) / MB;
}

inBothIsolations("large bodies", (isolation) => {
	const atoll = new TestRuntime({
		isolation,
		limits: { cpuMs: 60_000, requestBodyBytes: 1024 * MB, streamedBytesPerSecond: 1024 * MB },
	});
	let server: HttpServer;
	let port: number;
	before(async () => {
		server = new HttpServer(atoll.runtime);
		port = (await server.listen(0, "127.0.0.1")).port;
		await atoll.deploy("through", "export default { fetch: (r) => new Response(r.body) }");
		await atoll.deploy(
			"endless",
			`export default { fetch: () => new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); globalThis.sent = (globalThis.sent ?? 0) + 65536; if (sent % (1 << 20) === 0) console.log("sent " + sent); } })) }`,
		);
		await atoll.deploy(
			"ignores",
			`export default { async fetch(r) { await new Promise((ok) => setTimeout(ok, 100)); return new Response("did not read"); } }`,
		);
		await atoll.deploy(
			"whole",
			`const text = "ü".repeat(3_000_000); export default { fetch: () => new Response(text) }`,
		);
	});
	after(() => server.close());

	/** What each process has in memory, this one's first. */
	const memory = () =>
		new Map([process.pid, ...atoll.runtime.sandboxPids()].map((pid) => [pid, residentMb(pid)] as const));
	/** By how much each has grown that was there before. */
	const grownSince = (before: Map<number, number>) =>
		[...memory()].filter(([pid]) => before.has(pid)).map(([pid, mb]) => mb - (before.get(pid) as number));

	test("200 MB go through a function with edge and sandbox flat", async () => {
		const chunk = Buffer.alloc(MB, "x");
		const send = (size: number) =>
			new Promise<number>((resolve, reject) => {
				let received = 0;
				const req = request(
					{ port, host: "127.0.0.1", method: "POST", headers: { host: "through.test" }, agent: false },
					(res) => {
						res.on("data", (data: Buffer) => {
							received += data.length;
						});
						res.on("end", () => resolve(received));
						res.on("error", reject);
					},
				);
				req.on("error", reject);
				let sent = 0;
				const write = (): void => {
					while (sent < size) {
						sent++;
						if (!req.write(chunk)) {
							req.once("drain", write);
							return;
						}
					}
					req.end();
				};
				write();
			});
		assert.equal(await send(40), 40 * MB);
		const before = memory();
		assert.equal(await send(200), 200 * MB);
		const grown = grownSince(before);
		assert.ok(
			grown.every((mb) => mb < 120),
			`grew by ${grown.map(Math.round)} MB`,
		);
		const record = await atoll.record("through", 1);
		assert.deepEqual([record.requestBytes, record.responseBytes], [200 * MB, 200 * MB]);
	});

	test("a reader that does not read holds the function back, and leaving ends it", async () => {
		const res = await new Promise<import("node:http").IncomingMessage>((resolve) =>
			request({ port, host: "127.0.0.1", headers: { host: "endless.test" }, agent: false }, resolve).end(),
		);
		res.pause();
		await atoll.log("sent 1048576");
		const before = memory();
		// The socket's buffers fill and the stream stands still: other requests go on, and the count does not.
		let last = -1;
		let same = 0;
		while (same < 20) {
			await atoll.text("through", "/", { method: "POST", body: "tick" });
			const lines = atoll.logs.filter((line) => line.function === "endless").length;
			same = lines === last ? same + 1 : 0;
			last = lines;
		}
		const grown = grownSince(before);
		assert.ok(
			grown.every((mb) => mb < 60),
			`grew by ${grown.map(Math.round)} MB`,
		);
		res.destroy();
		assert.equal((await atoll.record("endless")).outcome, "client_gone");
	});

	test("a body that the function does not read costs no more than the window", async () => {
		const before = memory();
		const answer = await new Promise<string>((resolve, reject) => {
			const req = request(
				{ port, host: "127.0.0.1", method: "POST", headers: { host: "ignores.test" }, agent: false },
				(res) => {
					let text = "";
					res.setEncoding("utf8").on("data", (data: string) => {
						text += data;
					});
					res.on("end", () => {
						req.destroy();
						resolve(text);
					});
				},
			);
			req.on("error", reject);
			for (let i = 0; i < 30; i++) req.write(Buffer.alloc(MB));
		});
		assert.equal(answer, "did not read");
		const grown = grownSince(before);
		// The test's own client holds the 30 MB that it could not send; no sandbox must.
		assert.ok(
			grown.slice(1).every((mb) => mb < 20),
			`grew by ${grown.map(Math.round)} MB`,
		);
	});

	test("a large body made from a string arrives whole", async () => {
		const text = await atoll.text("whole");
		assert.equal(text.length, 3_000_000);
		assert.equal(new Set(text).size, 1);
	});
});
