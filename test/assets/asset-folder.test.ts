import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readAsset, readAssetFolder } from "../../src/assets/asset-folder.ts";
import { temporaryFolder } from "../support/runtime.ts";

async function folder(files: Record<string, string>): Promise<string> {
	const path = join(temporaryFolder(), "public");
	for (const [file, content] of Object.entries({ "index.html": "home", ...files })) {
		await mkdir(dirname(join(path, file)), { recursive: true });
		await writeFile(join(path, file), content);
	}
	return path;
}

test("all files are found with their types; rules and what .assetsignore names are no files", async () => {
	const path = await folder({
		"a/b/style.css": "css",
		"a/noext": "",
		".well-known/x.json": "{}",
		"drafts/secret.html": "no",
		"a/_headers": "only at the top",
		_headers: "/*\n  x-a: b",
		_redirects: "/old /new",
		".assetsignore": "drafts\n",
	});
	const { files, _headers, _redirects } = await readAssetFolder(path);
	assert.deepEqual(
		files.map(({ path: file, type, size }) => [file, type, size]),
		[
			["/.well-known/x.json", "application/json", 2],
			["/a/_headers", "", 15],
			["/a/b/style.css", "text/css; charset=utf-8", 3],
			["/a/noext", "", 0],
			["/index.html", "text/html; charset=utf-8", 4],
		],
	);
	assert.deepEqual([_headers, _redirects], ["/*\n  x-a: b", "/old /new"]);
});

test("a link within the folder is followed, and one that leads out of it is refused by its name", async () => {
	const path = await folder({ "a/one.txt": "one" });
	await symlink("a/one.txt", join(path, "two.txt"));
	await symlink("a", join(path, "again"));
	const { files } = await readAssetFolder(path);
	assert.deepEqual(
		files.map(({ path: file }) => file),
		["/a/one.txt", "/index.html", "/two.txt"],
	);
	assert.equal((await readAsset(files[2])).toString(), "one");
	for (const [name, target] of [
		["file.txt", "/etc/hostname"],
		["folder", "/etc"],
		["sibling", "../public-not"],
	]) {
		const own = await folder({});
		await mkdir(`${own}-not`);
		await symlink(target, join(own, name));
		await assert.rejects(readAssetFolder(own), new RegExp(`public/${name}: it leads out of the folder of assets`));
		await writeFile(join(own, ".assetsignore"), name);
		assert.equal((await readAssetFolder(own)).files.length, 1);
	}
});

test("what cannot be served is refused by its name", async () => {
	const broken = await folder({});
	await symlink("nowhere", join(broken, "gone.txt"));
	await assert.rejects(readAssetFolder(broken), /public\/gone\.txt: it is a link that leads nowhere/);
	const pipe = await folder({});
	execFileSync("mkfifo", [join(pipe, "pipe")]);
	await assert.rejects(readAssetFolder(pipe), /public\/pipe: it is no file/);
	const large = await folder({ "large.bin": "" });
	await truncate(join(large, "large.bin"), 25 * 2 ** 20 + 1);
	await assert.rejects(readAssetFolder(large), /public\/large\.bin: it has more than 25 MB/);
	const worker = await folder({ "_worker.js": "secret" });
	await assert.rejects(readAssetFolder(worker), /public\/_worker\.js: anybody could read it/);
	await writeFile(join(worker, ".assetsignore"), "");
	assert.equal((await readAssetFolder(worker)).files.length, 2);
	const linked = await folder({});
	await symlink("/etc/hostname", join(linked, "_headers"));
	await assert.rejects(readAssetFolder(linked), /public\/_headers: it must be a file/);
	await assert.rejects(readAssetFolder(join(linked, "nope")), /there is no such folder of assets/);
});

test("a file that a link has taken the place of is not read", async () => {
	const path = await folder({ "a.txt": "a" });
	const [file] = (await readAssetFolder(path)).files;
	await symlink("/etc/hostname", join(path, "link"));
	await assert.rejects(readAsset({ ...file, file: join(path, "link") }), /cannot be read/);
});
