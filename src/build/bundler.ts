/** The bundler process: holds the one esbuild service, and bundles what it is asked to over frames on descriptor 3. */
import "./esbuild-service.ts";
import { Socket } from "node:net";
import { BuildKind, readBuildMessage, writeBuildMessage } from "../link/build-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import { type BundleRequest, bundle } from "./bundle.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);

async function answer(job: number, request: BundleRequest): Promise<void> {
	const result = await bundle(request);
	writeBuildMessage(writer, { kind: BuildKind.bundle, job, data: Buffer.from(JSON.stringify(result)) });
}

/** What is wrong with a source is told of it; anything else is esbuild's end, which others' jobs have met with too. */
function end(error: Error): void {
	console.error(error.message);
	process.exit(1);
}

const reader = new FrameReader({ maxBytes: 1024 * 1024 }, (frame) => {
	const { job, text } = readBuildMessage(frame);
	void answer(job, JSON.parse(text) as BundleRequest).catch(end);
});
socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
