import { type ChildProcess, spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { accessSync, constants, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { BoundSocket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { IS_CHECKOUT } from "../checkout.ts";
import { withoutOtlp } from "../config/otlp.ts";
import type { ServerConfig } from "../config/server.ts";
import { UsageError } from "../errors.ts";
import type { Milliseconds } from "../units.ts";
import type { ToProcess, ToSupervisor } from "./messages.ts";
import { PID_FILE } from "./pid-file.ts";

/** The processes that a supervisor keeps running. */
type Role = "edge" | "control";

/** One that ends is started again so long after, and later each time, up to a bound. */
const FIRST_MS: Milliseconds = 50;
const LONGEST_MS: Milliseconds = 5000;
/** One that has run for so long ended for a reason of its own. */
const SOUND_MS: Milliseconds = 10_000;
/** One that is to stop is killed so long after it should have. */
const STOP_MS: Milliseconds = 45_000;

/** A process of a role: the one at work, or one that is being replaced. */
interface Running {
	child: ChildProcess;
	startedAt: number;
	exited: Promise<void>;
}

export interface SupervisorEvents {
	notice(level: "info" | "warn" | "error", message: string): void;
}

/** A listening socket: bound here, and listened on by whichever process is at work. */
interface Listening {
	fd: number;
	port: number;
	/** Gives it up. Once no process listens on it either, whoever connects is refused. */
	close(): void;
}

/**
 * Holds the listening sockets and keeps an edge and a control running on them. Whatever ends is started again, and who
 * connects meanwhile waits in the socket's queue.
 */
export class Supervisor {
	readonly #config: ServerConfig;
	readonly #events: SupervisorEvents;
	readonly #sockets: Record<Role, Listening>;
	readonly #running = new Map<Role, Running>();
	readonly #leaving = new Set<Running>();
	readonly #waitMs: Record<Role, Milliseconds> = { edge: FIRST_MS, control: FIRST_MS };
	/** A token that control has made up for the operator, to be told once. */
	token: string | null = null;
	#restarting: Promise<void> | null = null;
	/** Whether control has had the store: it may be gone for a moment, and nobody else has it then. */
	#hasStore = false;
	#stopping = false;
	readonly #env: NodeJS.ProcessEnv;

	private constructor(config: ServerConfig, sockets: Record<Role, Listening>, events: SupervisorEvents) {
		this.#config = config;
		this.#sockets = sockets;
		this.#events = events;
		const { LISTEN_FDS: _, LISTEN_PID: __, LISTEN_FDNAMES: ___, ...env } = process.env;
		this.#env = env;
	}

	/** Rejects with UsageError where it cannot listen, and where one of the processes cannot start. */
	static async start(config: ServerConfig, events: SupervisorEvents): Promise<Supervisor> {
		try {
			mkdirSync(config.data, { recursive: true, mode: 0o700 });
			accessSync(config.data, constants.W_OK);
		} catch (error) {
			throw new UsageError(`the data folder ${config.data} cannot be used: ${(error as Error).message}`);
		}
		const given = inherited();
		const sockets = {
			edge: given[0] ?? (await bind(config.host, config.port, "port")),
			control: given[1] ?? (await bind(config.adminHost, config.adminPort, "admin-port")),
		};
		// A port that the system has chosen is known to all.
		const port = sockets.edge.port || config.port;
		const supervisor = new Supervisor({ ...config, port }, sockets, events);
		try {
			await Promise.all([supervisor.#launch("control"), supervisor.#launch("edge")]);
		} catch (error) {
			await supervisor.close();
			throw error;
		}
		writeFileSync(join(config.data, PID_FILE), `${process.pid}\n`);
		return supervisor;
	}

	/** The ports that are listened on. */
	get ports(): { edge: number; control: number } {
		return { edge: this.#sockets.edge.port, control: this.#sockets.control.port };
	}

	/** Process ids, for operators and tests. */
	get pids(): Partial<Record<Role, number>> {
		return Object.fromEntries([...this.#running].map(([role, { child }]) => [role, child.pid]));
	}

	/** Starts a process of a role, and resolves once it is at work. */
	#launch(role: Role): Promise<void> {
		if (this.#stopping) return Promise.reject(new Error("the server is ending"));
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const extension = import.meta.url.slice(import.meta.url.lastIndexOf("."));
		const script = fileURLToPath(new URL(`../${role}/main${extension}`, import.meta.url));
		// See bin/atoll.js on the flag.
		const args = ["--no-warnings", "--no-concurrent-marking", script, JSON.stringify(this.#config)];
		// Tokens are control's alone.
		const env = role === "control" ? { ...this.#env } : withoutOtlp(this.#env);
		if (role !== "control") {
			delete env.ATOLL_ADMIN_TOKEN;
			delete env.ATOLL_SECRETS_KEY;
		}
		if (IS_CHECKOUT)
			env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL("../../node_modules/.cache/atoll/modules", import.meta.url));
		const child = spawn(process.execPath, args, {
			cwd: this.#config.data,
			env: { ...env, UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE ?? "16" },
			stdio: ["ignore", "inherit", "inherit", this.#sockets[role].fd, "ipc"],
		});
		const one: Running = {
			child,
			startedAt: performance.now(),
			exited: new Promise((exited) => child.once("exit", () => exited())),
		};
		let isReady = false;
		let problem: UsageError | null = null;
		child.on("message", (message: ToSupervisor) => {
			if (message.kind === "failed") {
				problem = new UsageError(message.problem, "data_unusable");
				return;
			}
			isReady = true;
			if (role === "control") this.#haveStore();
			this.token = message.token ?? this.token;
			// Known only now where the system has chosen one for a socket that came from outside.
			if (message.port > 0) this.#sockets[role].port = message.port;
			resolve();
		});
		child.on("error", (error) => reject(error));
		child.once("exit", (code, signal) => {
			const how = signal ?? `code ${code}`;
			this.#leaving.delete(one);
			const isCurrent = this.#running.get(role) === one;
			if (isCurrent) this.#running.delete(role);
			// Not before it is gone, so that another can be started.
			if (!isReady) reject(problem ?? new Error(`${role} ended before it was at work: ${how}`));
			if (isReady && isCurrent) this.#again(role, performance.now() - one.startedAt, how);
		});
		this.#running.set(role, one);
		if (role === "edge" && this.#hasStore) tell(child, { kind: "follow" });
		return promise;
	}

	/** The data folder is ours, as control has found. */
	#haveStore(): void {
		const edge = this.#running.get("edge");
		if (!this.#hasStore && edge !== undefined) tell(edge.child, { kind: "follow" });
		this.#hasStore = true;
	}

	/** One that nobody has stopped has ended, after so long. Where all of it is to end nothing is started again. */
	#again(role: Role, ranMs: Milliseconds, how: string): void {
		if (this.#stopping) return;
		if (ranMs > SOUND_MS) this.#waitMs[role] = FIRST_MS;
		const wait = this.#waitMs[role];
		this.#waitMs[role] = Math.min(LONGEST_MS, wait * 2);
		this.#events.notice("error", `${role} has ended by ${how}, and is started again`);
		setTimeout(() => {
			if (this.#running.has(role)) return;
			this.#launch(role).catch((error: Error) => this.#again(role, 0, error.message));
		}, wait);
	}

	/**
	 * Replaces edge and control by new ones, which may be of another version of atoll, on the same sockets. Nobody is
	 * refused: the old edge goes on until the new one is at work, and then ends its connections one by one. Rejects
	 * where the new one cannot start; the old one goes on then.
	 */
	restart(): Promise<void> {
		if (this.#stopping) return Promise.reject(new Error("the server is ending"));
		this.#restarting ??= this.#restart().finally(() => {
			this.#restarting = null;
		});
		return this.#restarting;
	}

	async #restart(): Promise<void> {
		// Two could not have the store open at once; who asks it meanwhile waits in the queue.
		const control = this.#running.get("control");
		this.#running.delete("control");
		if (control !== undefined) await this.#stop(control, true);
		await this.#launch("control").catch((error: Error) => {
			this.#again("control", 0, error.message);
			throw error;
		});
		const edge = this.#running.get("edge");
		try {
			await this.#launch("edge");
		} catch (error) {
			if (edge !== undefined) this.#running.set("edge", edge);
			throw error;
		}
		if (edge !== undefined) void this.#stop(edge, true);
	}

	async #stop(one: Running, successor: boolean): Promise<void> {
		const { child, exited } = one;
		if (child.exitCode !== null || child.signalCode !== null) return;
		this.#leaving.add(one);
		tell(child, { kind: "stop", successor });
		const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS + (successor ? this.#config.drainMs : 0));
		await exited;
		clearTimeout(timer);
	}

	/** Ends all of it: requests in flight are finished, and new connections are refused. */
	async close(): Promise<void> {
		this.#stopping = true;
		for (const socket of Object.values(this.#sockets)) socket.close();
		await Promise.all([...this.#running.values(), ...this.#leaving].map((one) => this.#stop(one, false)));
		// Else it is another one's, whose id stands there.
		if (this.#hasStore) rmSync(join(this.#config.data, PID_FILE), { force: true });
	}
}

/** Tells a process something, which may have ended meanwhile. */
function tell(child: ChildProcess, message: ToProcess): void {
	if (child.connected) child.send(message, () => undefined);
}

const FIRST_INHERITED = 3;

/** Sockets that systemd has handed over: https://www.freedesktop.org/software/systemd/man/sd_listen_fds.html */
function inherited(): Listening[] {
	if (Number(process.env.LISTEN_PID) !== process.pid) return [];
	const count = Number(process.env.LISTEN_FDS ?? 0);
	if (count !== 2)
		throw new UsageError(
			`${count} sockets were handed over (LISTEN_FDS), where atoll takes two: for functions' clients, then for the admin API`,
		);
	// systemd keeps them, and so do we: who connects between two of us waits in the queue.
	const close = () => undefined;
	return Array.from({ length: count }, (_, i) => {
		const fd = FIRST_INHERITED + i;
		return { fd, port: portOf(fd), close };
	});
}

/** Where a socket from outside listens, as Linux tells it (proc_net_tcp(5)); 0 where that is no TCP, or not told. */
function portOf(fd: number): number {
	try {
		const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
		for (const family of ["tcp", "tcp6"]) {
			const sockets = readFileSync(`/proc/self/net/${family}`, "utf8").split("\n");
			const own = sockets.map((line) => line.trim().split(/\s+/)).find((columns) => columns[9] === inode);
			if (own !== undefined) return Number.parseInt(own[1].slice(own[1].indexOf(":") + 1), 16);
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // There is no /proc here.
	}
	return 0;
}

async function bind(host: string, port: number, flag: string): Promise<Listening> {
	if (BoundSocket === undefined)
		throw new UsageError("atoll up needs Node 26, whose net.BoundSocket holds its sockets");
	try {
		const { address } = await lookup(host);
		const socket = new BoundSocket({ host: address, port });
		const { port: given } = socket.address() as { port: number };
		return { fd: socket.fd(), port: given, close: () => socket.close() };
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "EADDRINUSE")
			throw new UsageError(`port ${port} on ${host} is already in use; choose another with --${flag}`);
		if (code === "EACCES")
			throw new UsageError(`port ${port} may not be used by this user; choose one above 1023 with --${flag}`);
		if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
			throw new UsageError(`${host} is not an address of this machine`);
		throw error;
	}
}
