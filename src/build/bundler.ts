/**
 * The bundler process: holds the one esbuild service, and bundles or converts what it is asked to over frames on
 * descriptor 3.
 */
import "./esbuild-service.ts";
import { Socket } from "node:net";
import { BuildKind, MOST_MODULE, readBuildMessage, writeBuildMessage } from "../link/build-frames.ts";
import { FrameReader } from "../link/frame-reader.ts";
import { FrameWriter } from "../link/frame-writer.ts";
import { type Bundle, type BundleRequest, bundle } from "./bundle.ts";
import { convert } from "./conversion.ts";

const socket = new Socket({ fd: 3, readable: true, writable: true });
const writer = new FrameWriter(socket);

async function answer(kind: number, job: number, bundling: Promise<Bundle | null>): Promise<void> {
	writeBuildMessage(writer, { kind, job, data: Buffer.from(JSON.stringify(await bundling)) });
}

/** What is wrong with a source is told of it; anything else is esbuild's end, which others' jobs have met with too. */
function end(error: Error): void {
	console.error(error.message);
	process.exit(1);
}

const reader = new FrameReader({ maxBytes: MOST_MODULE + 1024 * 1024 }, (frame) => {
	const { kind, job, text, data } = readBuildMessage(frame);
	const bundling =
		kind === BuildKind.convert ? convert({ path: text, source: data }) : bundle(JSON.parse(text) as BundleRequest);
	void answer(kind, job, bundling).catch(end);
});
socket.on("data", (chunk: Buffer) => reader.read(chunk));
socket.on("close", () => process.exit(0));
socket.on("error", () => process.exit(0));
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
