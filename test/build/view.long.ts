import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { viewOf } from "../../src/build/view.ts";
import { createRuntime, UsageError } from "../../src/index.ts";
import { confinedBundler, containment } from "../../src/processes/confinement.ts";
import { Launcher } from "../../src/processes/launcher.ts";
import { SOURCES } from "../../src/processes/script.ts";
import { TestRuntime, temporaryFolder } from "../support/runtime.ts";

const folder = temporaryFolder();
const sources = join(folder, "sources");
mkdirSync(sources);
const atoll = new TestRuntime({ isolation: "inline", sources: [sources] });
const launcher = new Launcher();
after(() => launcher.close());

const hello = `import text from "./text.js"; export default { fetch: () => new Response(text) };`;

async function write(path: string, content: string): Promise<string> {
	const file = join(folder, path);
	await mkdir(join(file, ".."), { recursive: true });
	await writeFile(file, content);
	return file;
}

/** What an expression comes to in the place of the bundler, which sees what that is shown of these folders. */
function inItsPlace(folders: string[], expression: string): Promise<unknown> {
	const { args, ...confined } = confinedBundler(viewOf(folders).reads);
	// It speaks when it is spoken to, as all do: before, its link is still the launcher's.
	const text = `import fs from "node:fs"; import { Socket } from "node:net";
		await new Promise((spoken) => new Socket({ fd: 3 }).once("data", spoken));
		fs.writeSync(3, JSON.stringify(${expression})); process.exit(0);`;
	return new Promise((resolve) => {
		let said = "";
		launcher.launch(
			{ ...confined, args: [...args.slice(0, -1), "--input-type=module", "-e", text], niceness: 1, file: null },
			{
				onLaunched: (_, link) => {
					link.write("Speak.");
					link.setEncoding("utf8").on("data", (more) => {
						said += more;
					});
					link.on("close", () => resolve(said === "" ? null : JSON.parse(said)));
				},
				onEnded: () => undefined,
			},
		);
	});
}

const isWalled = containment().mountNamespace;

test("the bundler sees the folders of sources, and no others", { skip: !isWalled && "no bubblewrap" }, async () => {
	const own = await write("sources/own.txt", "own");
	const secret = await write("secret.txt", "secret");
	const paths = [own, secret, "/etc/passwd", "/etc/shadow", "/home", "/root", "/proc/self"];
	const seen = await inItsPlace([sources], `${JSON.stringify(paths)}.filter((path) => fs.existsSync(path))`);
	assert.deepEqual(seen, [own]);
});

test("it has esbuild started without files there too", { skip: !isWalled && "no bubblewrap" }, async () => {
	const service = JSON.stringify(join(SOURCES, "build/esbuild-service.ts"));
	const started = (folders: string[]) =>
		inItsPlace(folders, `await import(${service}).then(() => [process.env.ESBUILD_BINARY_PATH ?? ""])`);
	assert.deepEqual(await started([sources]), await started(["/"]));
});

test("functions are built from the folders of sources, and from nowhere else", async () => {
	await write("sources/text.js", `export default "first";`);
	const entry = await write("sources/fn.js", hello);
	const options = { name: "fn", hostnames: ["fn.test"] };
	await atoll.runtime.deploy({ ...options, entry });
	assert.equal(await atoll.text("fn"), "first");
	const elsewhere = await write("elsewhere/fn.js", hello);
	const refused = (given: { entry: string; root?: string }) =>
		assert.rejects(atoll.runtime.deploy({ ...options, ...given }), (error: Error) => {
			assert.ok(error instanceof UsageError);
			assert.match(error.message, /elsewhere.* is in none of the folders that functions are built from/);
			return true;
		});
	await refused({ entry: elsewhere });
	await refused({ entry: elsewhere, root: join(folder, "elsewhere") });
	for (const none of [[], [join(folder, "nowhere")], [entry]])
		await assert.rejects(createRuntime({ sources: none }), UsageError);
});

test("a folder that takes another's place is seen by the next build", async () => {
	const options = { name: "fn", hostnames: ["fn.test"], entry: join(sources, "fn.js"), root: sources };
	await write("sources/text.js", `export default "before";`);
	await write("sources/fn.js", hello);
	await atoll.runtime.deploy(options);
	assert.equal(await atoll.text("fn"), "before");
	await write("next/text.js", `export default "after";`);
	await write("next/fn.js", hello);
	await rename(sources, join(folder, "old"));
	await rename(join(folder, "next"), sources);
	await rm(join(folder, "old"), { recursive: true });
	await atoll.runtime.deploy(options);
	assert.equal(await atoll.text("fn"), "after");
});
