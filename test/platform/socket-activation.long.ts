import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { BoundSocket } from "node:net";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { CommandLine, get, say } from "../support/command-line.ts";
import { until } from "../support/until.ts";

const line = new CommandLine();
const data = join(line.folder, "data");
const BIN = resolve("bin/atoll.js");
const TOKEN = "token-of-the-tests";

/** As systemd has them: listened on before there is a server, and after it. */
const sockets = [0, 1].map(() => new BoundSocket({ host: "127.0.0.1", port: 0 }));
const LISTEN = `for (const fd of [3, 4]) require("node:net").createServer().listen({ fd });setImmediate(process.exit);`;
execFileSync(process.execPath, ["-e", LISTEN], {
	stdio: ["ignore", "ignore", "inherit", ...sockets.map((socket) => socket.fd())],
});
const [port, adminPort] = sockets.map((socket) => (socket.address() as { port: number }).port);

interface Server {
	child: ChildProcess;
	output: () => string;
	ended: Promise<number | null>;
}

/** Starts `atoll up` as systemd does: with the sockets at descriptors 3 and 4, and its own id in the environment. */
function start(): Server {
	const atoll = [process.execPath, BIN, "up", "--data", data, "--sandboxes", "1"];
	const child = spawn("sh", ["-c", 'export LISTEN_PID=$$ LISTEN_FDS=2; exec "$@"', "sh", ...atoll], {
		env: { ...process.env, ATOLL_ADMIN_TOKEN: TOKEN },
		stdio: ["ignore", "pipe", "pipe", ...sockets.map((socket) => socket.fd())],
	});
	after(() => child.kill("SIGKILL"));
	let text = "";
	for (const stream of [child.stdout, child.stderr])
		stream?.setEncoding("utf8").on("data", (chunk: string) => {
			text += chunk;
		});
	return { child, output: () => text, ended: new Promise((done) => child.on("close", done)) };
}

test("one socket alone is refused, since it could be either", async () => {
	const run = spawn("sh", ["-c", 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"', "sh", process.execPath, BIN, "up"], {
		cwd: line.folder,
		stdio: ["ignore", "ignore", "pipe"],
	});
	let text = "";
	run.stderr.setEncoding("utf8").on("data", (chunk: string) => {
		text += chunk;
	});
	assert.equal(await new Promise((done) => run.on("close", done)), 1);
	assert.match(text, /^atoll: 1 sockets were handed over \(LISTEN_FDS\), where atoll takes two/);
});

const isReady = ({ output }: Server) => until(() => output().includes('"msg":"ready"'));

test("sockets that were handed over by systemd are listened on, and who connects between two servers waits", async () => {
	const first = start();
	await isReady(first);
	assert.match(first.output(), new RegExp(`"port":${port},"adminPort":${adminPort},`));
	const folder = await line.write("kept", { "index.js": say("kept") });
	const deploy = line.run(["deploy", folder, "--name", "kept"], {
		ATOLL_SERVER: `http://127.0.0.1:${adminPort}`,
		ATOLL_TOKEN: TOKEN,
		XDG_CONFIG_HOME: line.folder,
	});
	assert.equal(await deploy.exit, 0, deploy.output());
	assert.match(deploy.output(), new RegExp(`http://kept\\.localhost:${port}`));
	assert.equal((await get(port, "kept.localhost")).text, "kept");
	first.child.kill("SIGTERM");
	assert.equal(await first.ended, 0, first.output());
	const waiting = get(port, "kept.localhost");
	const second = start();
	assert.equal((await waiting).text, "kept");
	await isReady(second);
	second.child.kill("SIGTERM");
	assert.equal(await second.ended, 0, second.output());
});
