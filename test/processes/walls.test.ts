import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { FILTERS } from "../../scripts/seccomp.ts";
import { confined, containment } from "../../src/processes/confinement.ts";
import { LAYERS, type Layer } from "../../src/processes/containment.ts";
import { type LaunchedProcess, Launcher } from "../../src/processes/launcher.ts";
import { nodeFiles } from "../../src/processes/runtime-files.ts";
import { problemOf, type Way, ways } from "../../src/processes/walls.ts";
import { until } from "../support/until.ts";

/** Which layers keep native code from what, each of them alone. */
const KEPT_FROM: Record<string, Layer[]> = {
	"read /etc/shadow": ["mountNamespace", "ownUser"],
	"read /etc/passwd": ["mountNamespace"],
	"read a secret of root's": ["mountNamespace", "ownUser"],
	"list /root": ["mountNamespace", "ownUser"],
	"list /home": ["mountNamespace"],
	"list /proc": ["mountNamespace"],
	"open /dev/null": ["mountNamespace"],
	"connect to a Unix socket by its path": ["mountNamespace", "seccomp"],
	"connect to an abstract Unix socket": ["networkNamespace", "seccomp"],
	"connect to a port of the machine": ["networkNamespace", "seccomp"],
	"see a sibling": ["pidNamespace", "ownUser"],
	"kill a sibling": ["pidNamespace", "ownUser"],
	"trace a sibling": ["pidNamespace", "ownUser", "seccomp"],
	"open a sibling's memory": ["mountNamespace", "ownUser"],
	"read a sibling's memory": ["pidNamespace", "ownUser", "seccomp"],
	"hold a sibling by a descriptor": ["pidNamespace", "seccomp"],
	"write to /tmp": ["mountNamespace", "seccomp"],
	"write to /": ["mountNamespace", "ownUser", "seccomp"],
	"write to its own program": ["mountNamespace", "ownUser", "seccomp"],
	"write to memory as a file": ["seccomp"],
	"grow the note": ["seccomp"],
	"make a socket": ["seccomp"],
	"make a netlink socket": ["seccomp"],
	fork: ["seccomp"],
	"vfork by clone3": ["seccomp"],
	"clone into a user namespace": ["seccomp"],
	"unshare a user namespace": ["seccomp"],
	"unshare a network namespace": ["seccomp"],
	"enter a namespace": ["seccomp"],
	mount: ["seccomp"],
	"change the root": ["seccomp"],
	"set up io_uring": ["seccomp"],
	"load BPF": ["seccomp"],
	"handle page faults": ["seccomp"],
	"count performance": ["seccomp"],
	"use keys": ["seccomp"],
	"open by a handle": ["seccomp"],
	"type into a terminal": ["seccomp"],
	"be root": ["ownUser", "seccomp"],
};

const launcher = new Launcher();
let folder: string;
let attacks: string;
let compiler: string | null = null;
const abstractName = `atoll-walls-${process.pid}`;
const servers: Server[] = [];

const listening = (where: string | number) =>
	new Promise<Server>((resolve) => {
		const server = createServer((socket) => socket.destroy());
		servers.push(server);
		server.listen(where, () => resolve(server));
	});

before(async () => {
	folder = mkdtempSync(join(tmpdir(), "atoll-walls-"));
	chmodSync(folder, 0o755); // A user of its own has to find the program.
	attacks = join(folder, "attacks");
	const source = new URL("attacks.c", import.meta.url).pathname;
	compiler = ["cc", "gcc", "clang"].find((name) => spawnSync(name, ["-o", attacks, source]).status === 0) ?? null;
	writeFileSync(join(folder, "secret"), "root's", { mode: 0o600 });
});
after(async () => {
	await launcher.close();
	for (const server of servers) server.close();
	rmSync(folder, { recursive: true, force: true });
	rmSync("/tmp/atoll-attack", { force: true });
});

/** A program behind a wall, started as a sandbox is; what it says over its link. */
function start(way: Way, args: string[]) {
	const note = join(folder, `note-${Math.random()}`);
	writeFileSync(note, new Uint8Array(8));
	const [command, ...rest] = [...way.prefix([...nodeFiles(), attacks], null), attacks, ...args];
	const said: { text: string; link: Socket | null } = { text: "", link: null };
	const ended = Promise.withResolvers<string>();
	const launched: LaunchedProcess = launcher.launch(
		{ command, args: rest, env: {}, niceness: 2, file: note, wall: way.wall },
		{
			onLaunched(_, link) {
				said.link = link;
				link.write("!");
				link.setEncoding("utf8").on("data", (text) => {
					said.text += text;
				});
				link.on("error", () => undefined);
			},
			onEnded: ended.resolve,
		},
	);
	return { launched, said, ended: ended.promise };
}

/** Tries every attack behind a wall, on a sibling behind another one of its kind. */
async function attackFrom(way: Way): Promise<Map<string, number>> {
	const sibling = start(way, ["wait"]);
	await until(() => sibling.said.text.includes("waiting"));
	const path = join(folder, `socket-${servers.length}`);
	await listening(path);
	chmodSync(path, 0o777);
	await listening(`\0${abstractName}-${servers.length}`);
	const name = `${abstractName}-${servers.length - 1}`;
	const { port } = (await listening(0)).address() as AddressInfo;
	const args = [path, name, String(port), String(sibling.launched.pid), join(folder, "secret")];
	const { said, ended } = start(way, ["all", ...args]);
	await until(() => said.text.includes("be root"));
	said.link?.end();
	assert.equal(await ended, "exited with code 0");
	sibling.launched.kill();
	await sibling.launched.exited;
	return new Map(
		said.text
			.trim()
			.split("\n")
			.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
	);
}

/** The best way that works here: a user of its own finds no program in a folder that only root may enter. */
function bestWay(): Way {
	const way = [...ways("sandbox")].find((one) => problemOf(one, [...nodeFiles(), attacks]) === null);
	assert.ok(way, "there is a way to start a process");
	return way;
}

function skipWithout(t: TestContext): boolean {
	if (process.platform !== "linux") t.skip("only Linux has walls");
	else if (compiler === null) t.skip("no C compiler");
	else return false;
	return true;
}

for (const way of ways("sandbox")) {
	const layers: Layer[] = [...way.layers, ...(way.wall.ownUser ? (["ownUser"] as const) : [])];
	test(`native code does not get through: ${layers.map((layer) => LAYERS[layer]).join(", ")}`, async (t) => {
		if (skipWithout(t)) return;
		const problem = problemOf(way, [...nodeFiles(), attacks]);
		if (problem !== null) return t.skip(problem);
		const results = await attackFrom(way);
		for (const [attack, blockers] of Object.entries(KEPT_FROM)) {
			assert.ok(results.has(attack), `${attack} was not tried`);
			if (blockers.some((layer) => layers.includes(layer)))
				assert.notEqual(results.get(attack), 0, `it could ${attack}`);
		}
	});
}

for (const layer of Object.keys(LAYERS) as Layer[]) {
	test(`this machine has the layer: ${LAYERS[layer]}`, (t) => {
		const { [layer]: on, why } = containment();
		if (!on) {
			assert.ok(why[layer], "it is said why it is off");
			t.skip(why[layer]);
		}
	});
}

test("the other interface for system calls ends the process", async (t) => {
	if (skipWithout(t)) return;
	const way = bestWay();
	if (process.arch !== "x64" || !way.layers.includes("seccomp"))
		return t.skip("there is no filter, or no such interface");
	const { said, ended } = start(way, ["x32"]);
	assert.equal(await ended, "ended by SIGSYS");
	assert.equal(said.text, "", "it did not come back from it");
});

test("what the launcher tells is the process itself, nice, as a user that no other is, and it goes with bubblewrap", async (t) => {
	if (skipWithout(t)) return;
	const way = bestWay();
	if (!way.layers.includes("mountNamespace")) return t.skip("bubblewrap is not installed");
	const all = [start(way, ["wait"]), start(way, ["wait"])];
	await until(() => all.every(({ said }) => said.text.includes("waiting")));
	const statuses = all.map(({ launched }) => readFileSync(`/proc/${launched.pid}/status`, "utf8"));
	for (const [at, status] of statuses.entries()) {
		assert.match(status, /^Name:\s+attacks$/m);
		assert.match(status, /^NSpid:\s+\d+\s+1$/m);
		assert.match(status, /^Cap(Prm|Eff|Bnd):\s+0+$/m);
		assert.match(status, /^Seccomp:\s+2$/m);
		const [, fields] = readFileSync(`/proc/${all[at].launched.pid}/stat`, "utf8").split(") ");
		assert.equal(fields.split(" ")[16], "2");
	}
	const users = statuses.map((status) => /^Uid:\s+(\d+)/m.exec(status)?.[1]);
	if (way.wall.ownUser) {
		assert.notEqual(users[0], users[1]);
		assert.ok(!users.includes("0"));
	}
	all[0].launched.kill();
	process.kill(Number(/^PPid:\s+(\d+)$/m.exec(statuses[1])?.[1]), "SIGKILL");
	for (const { ended, launched } of all) {
		assert.equal(await ended, "ended by SIGKILL");
		await until(
			() =>
				!existsSync(`/proc/${launched.pid}`) ||
				/^State:\s+Z/m.test(readFileSync(`/proc/${launched.pid}/status`, "utf8")),
		);
	}
});

test("a process that is ended as it starts leaves nothing behind", async (t) => {
	if (skipWithout(t)) return;
	const marker = `left-${process.pid}`;
	const way = bestWay();
	const all = Array.from({ length: 12 }, () => start(way, ["wait", marker]));
	for (const { launched } of all) launched.kill();
	await Promise.all(all.map(({ ended }) => ended));
	const left = () => spawnSync("grep", ["-l", marker, ...procFiles()], { encoding: "utf8" }).stdout.trim();
	await until(() => left() === "");
});

function procFiles(): string[] {
	return spawnSync("sh", ["-c", "ls -d /proc/[0-9]*/cmdline"], { encoding: "utf8" }).stdout.trim().split("\n");
}

test("a sandbox behind a wall reads its script and nothing else of its folder", (t) => {
	if (!containment().mountNamespace) return t.skip("there is no namespace of files here");
	const { command, args } = confined({ entry: "isolates/main" });
	assert.match(command, /bwrap$/);
	const shown = args.flatMap((arg, at) => (arg.startsWith("--ro-bind") ? [args[at + 1]] : []));
	assert.ok(
		shown.every((path) => path !== "/" && !/^\/(etc|usr|lib|home|root|tmp)$/.test(path)),
		shown.join(" "),
	);
	assert.ok(!args.some((arg) => ["--bind", "--dev-bind", "--proc", "--dev"].includes(arg)));
});

test("the filters are what the script makes", () => {
	for (const [name, bytes] of Object.entries(FILTERS))
		assert.deepEqual(
			new Uint8Array(readFileSync(new URL(`../../src/processes/filters/${name}`, import.meta.url))),
			new Uint8Array(bytes),
			`${name}: run node scripts/seccomp.ts`,
		);
});
