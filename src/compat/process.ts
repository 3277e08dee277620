/**
 * `node:process`, as much of it as an edge platform has. It says nothing of Node's version, by which packages tell
 * Node.
 */
import { builtIns } from "./built-ins.ts";

/** The function's environment; values that are no strings as JSON, since a process's variables are strings. */
const env: Record<string, string | undefined> = Object.fromEntries(
	Object.entries(Deno.env.toObject()).map(([name, value]) => [
		name,
		typeof value === "string" ? value : JSON.stringify(value),
	]),
);

const hrtime = Object.assign(
	(before: [number, number] = [0, 0]): [number, number] => {
		const now = performance.now() * 1e6 - (before[0] * 1e9 + before[1]);
		return [Math.floor(now / 1e9), Math.floor(now % 1e9)];
	},
	{ bigint: () => BigInt(Math.round(performance.now() * 1e6)) },
);

const stream = (write: (text: string) => void) => ({
	isTTY: false,
	write(text: unknown) {
		write(String(text).replace(/\n$/, ""));
		return true;
	},
});

/** Nothing ever happens to the process that a function could hear of. */
const silent = () => process;

const process = {
	on: silent,
	once: silent,
	off: silent,
	addListener: silent,
	removeListener: silent,
	removeAllListeners: silent,
	emit: () => false,
	listeners: () => [],
	listenerCount: () => 0,
	env,
	argv: [] as string[],
	execArgv: [] as string[],
	title: "atoll",
	platform: "linux",
	arch: "",
	pid: 1,
	version: "",
	versions: {} as Record<string, string>,
	release: {} as Record<string, string>,
	config: {},
	exitCode: undefined as number | undefined,
	nextTick: (callback: (...args: unknown[]) => void, ...args: unknown[]) => queueMicrotask(() => callback(...args)),
	cwd: () => "/",
	hrtime,
	uptime: () => performance.now() / 1000,
	memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
	emitWarning: (warning: unknown) => console.warn(warning),
	stdout: stream((text) => console.log(text)),
	stderr: stream((text) => console.error(text)),
	exit() {
		throw new Error("process.exit() is not available: a function ends with its response");
	},
	getBuiltinModule(name: unknown): unknown {
		const plain = String(name).replace(/^node:/, "");
		return plain === "process" ? process : builtIns.get(plain);
	},
	/** That a function asks for nothing that would need Node's event loop. */
	features: {},
	binding() {
		throw new Error("process.binding() is not available");
	},
};

export { env };
export const {
	argv,
	cwd,
	emitWarning,
	execArgv,
	exit,
	memoryUsage,
	nextTick,
	pid,
	platform,
	stderr,
	stdout,
	uptime,
	version,
	versions,
} = process;
export { hrtime, process };
export default process;
