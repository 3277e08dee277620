import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after } from "node:test";
import { until } from "./until.ts";

export interface Hooked {
	headers: IncomingHttpHeaders;
	path: string;
	body: string;
}

/** A server of a receiver: what it was sent, and what it answers. */
export interface Hook {
	port: number;
	got: Hooked[];
	status: number;
	close(): Promise<void>;
}

/** Listens on this machine, ended after the tests around it. */
export async function startHook(port = 0, status = 200, headers: Record<string, string> = {}): Promise<Hook> {
	const hook: Hook = { port: 0, got: [], status, close: async () => undefined };
	const server = createServer((req, res) => {
		void text(req).then((body) => {
			hook.got.push({ headers: req.headers, path: req.url ?? "", body });
			res.writeHead(hook.status, headers).end();
		});
	});
	server.listen(port, "127.0.0.1");
	await once(server, "listening");
	hook.port = (server.address() as AddressInfo).port;
	hook.close = async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	};
	after(() => hook.close());
	return hook;
}

/** A port at which nobody listens. */
export async function freePort(): Promise<number> {
	const server = createTcpServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	await new Promise((resolve) => server.close(resolve));
	return port;
}

/** A real Alertmanager's URL, ended after the tests around it; `null` where the machine has none. */
export async function startAlertmanager(): Promise<string | null> {
	const folder = await mkdtemp(join(tmpdir(), "alertmanager-"));
	const config = join(folder, "config.yml");
	await writeFile(config, "route: { receiver: none }\nreceivers: [{ name: none }]\n");
	const address = `127.0.0.1:${await freePort()}`;
	const child = spawn(
		"prometheus-alertmanager",
		[
			`--config.file=${config}`,
			`--storage.path=${join(folder, "data")}`,
			`--web.listen-address=${address}`,
			"--cluster.listen-address=",
		],
		{ stdio: "ignore" },
	);
	let isThere = true;
	child.on("error", () => {
		isThere = false;
	});
	after(async () => {
		if (isThere && child.exitCode === null) {
			child.kill("SIGKILL");
			await once(child, "close");
		}
		await rm(folder, { recursive: true, force: true });
	});
	const isReady = () =>
		fetch(`http://${address}/-/ready`).then(
			({ ok }) => ok,
			() => false,
		);
	await until(async () => !isThere || (await isReady()));
	return isThere ? `http://${address}` : null;
}
