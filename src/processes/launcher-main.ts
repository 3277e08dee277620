/**
 * The launcher process: starts processes for the edge, hands it their links, and tells how they end. It ends when the edge does,
 * and whatever it has started with it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { setPriority } from "node:os";
import { LastWords } from "./last-words.ts";
import type { Launch, LauncherReport, LauncherRequest } from "./launch.ts";

const running = new Map<number, ChildProcess>();

function report(message: LauncherReport, link?: Socket): void {
	// Where the edge is gone there is nobody to tell, and `disconnect` says what to do.
	process.send?.(message, link, undefined, () => undefined);
}

function launch(id: number, { command, args, env, niceness, file }: Launch): void {
	const descriptors = file === null ? [] : [openSync(file, "r+")];
	try {
		const child = spawn(command, args, {
			env,
			cwd: "/",
			stdio: ["ignore", "ignore", "pipe", "pipe", ...descriptors],
			windowsHide: true,
		});
		const lastWords = new LastWords(child);
		const end = (how: string) => {
			if (running.delete(id)) report({ id, ended: how });
		};
		running.set(id, child);
		child.on("error", (error) => end(error.message));
		child.on("exit", (code, signal) => end(lastWords.describe(code, signal)));
		if (child.pid === undefined) return; // Its error tells why.
		setPriority(child.pid, niceness);
		report({ id, pid: child.pid }, child.stdio[3] as Socket);
	} finally {
		for (const descriptor of descriptors) closeSync(descriptor);
	}
}

process.on("message", (request: LauncherRequest) => {
	if ("kill" in request) {
		running.get(request.id)?.kill("SIGKILL");
		return;
	}
	try {
		launch(request.id, request.launch);
	} catch (error) {
		running.get(request.id)?.kill("SIGKILL");
		if (!running.has(request.id)) report({ id: request.id, ended: (error as Error).message });
	}
});
process.on("disconnect", () => {
	for (const child of running.values()) child.kill("SIGKILL");
	process.exit(0);
});
// A terminal's Ctrl-C reaches the whole process group; the edge decides when its processes end.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
