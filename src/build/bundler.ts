/** The bundler process: holds the one esbuild service, and bundles what it is asked to over frames on descriptor 3. */
import { Socket } from "node:net";
import { FrameReader, FrameWriter } from "../link/frames.ts";
import { type BundleRequest, bundle } from "./bundle.ts";
import { BuildFrame } from "./messages.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);

async function answer(id: number, request: BundleRequest): Promise<void> {
	const result = await bundle(request);
	writer.write(BuildFrame.bundle, id, 0, 0, "", Buffer.from(JSON.stringify(result)));
}

/** What is wrong with a source is told of it; anything else is esbuild's end, which others' jobs have met with too. */
function end(error: Error): void {
	console.error(error.message);
	process.exit(1);
}

const reader = new FrameReader(
	1024 * 1024,
	({ attempt: id, text }) => void answer(id, JSON.parse(text) as BundleRequest).catch(end),
);
socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
