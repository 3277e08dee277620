/**
 * The libraries that edge code uses most, each doing its real job inside an isolate. The same module is also run by Node, and
 * what the two answer has to be the same.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { TestRuntime, temporaryFolder } from "../support/runtime.ts";

const FOLDER = "test/libraries";
const files = readdirSync(FOLDER).filter((file) => /\.tsx?$/.test(file));
const atoll = new TestRuntime({ limits: { cpuMs: 20_000, memoryMb: 256 } });
const folder = temporaryFolder();

before(() => atoll.ready());

/** The module's handler, as Node runs it: compiled, its packages taken from where Node finds them. */
async function inNode(file: string): Promise<(request: Request) => Promise<Response>> {
	const outfile = `${folder}/${basename(file, extname(file))}.mjs`;
	await build({
		entryPoints: [resolve(FOLDER, file)],
		outfile,
		bundle: true,
		platform: "node",
		// The same builds of the libraries as the function has.
		conditions: ["workerd", "worker", "edge-light", "import", "module", "browser"],
		mainFields: ["browser", "module", "main"],
		format: "esm",
		jsx: "automatic",
		define: { "process.env.NODE_ENV": '"production"' },
		banner: {
			js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
		},
		logLevel: "silent",
	});
	const module = (await import(pathToFileURL(outfile).href)) as {
		default: { fetch(request: Request): Promise<Response> };
	};
	return async (request) => module.default.fetch(request);
}

test("all of the libraries are here", () => assert.ok(files.length >= 25, `${files.length}`));

for (const file of files) {
	const name = basename(file, extname(file));
	test(name, async () => {
		await atoll.runtime.deploy({ name, hostnames: [`${name}.test`], entry: resolve(FOLDER, file) });
		const response = await atoll.fetch(name);
		const text = await response.text();
		assert.equal(response.status, 200, `${text} ${atoll.logs.at(-1)?.message}`);
		const expected = await (await inNode(file))(new Request(`http://${name}.test/`));
		assert.deepEqual(JSON.parse(text), JSON.parse(await expected.text()));
	});
}
