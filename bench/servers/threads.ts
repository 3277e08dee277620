/** `threads.ts COUNT`: so many threads that run `bench/functions/works.ts`, behind node:http and nothing else. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import works from "../functions/works.ts";

interface Waiting {
	url: string;
	response: ServerResponse;
}

if (isMainThread) {
	const waiting: Waiting[] = [];
	const idle: Worker[] = [];
	const next = () => {
		for (;;) {
			const worker = waiting.length > 0 ? idle.pop() : undefined;
			const request = worker === undefined ? undefined : waiting.shift();
			if (worker === undefined || request === undefined) return;
			worker.once("message", (text: string) => {
				request.response.end(text);
				idle.push(worker);
				next();
			});
			worker.postMessage(request.url);
		}
	};
	for (let i = 0; i < Number(process.argv[2]); i++) idle.push(new Worker(new URL(import.meta.url)));
	const server = createServer(({ url = "/" }, response) => {
		waiting.push({ url: `http://works.localhost${url}`, response });
		next();
	});
	server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as AddressInfo).port}`));
	process.on("disconnect", () => process.exit(0));
} else
	parentPort?.on("message", async (url: string) => {
		parentPort?.postMessage(await works.fetch(new Request(url)).text());
	});
