import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { IgnoreRules } from "../../src/assets/ignore-rules.ts";

/** Those of some paths that a file leaves out; a path that ends in a slash is a folder. */
function ignored(text: string, paths: readonly string[]): string[] {
	const rules = new IgnoreRules(text);
	return paths.filter((path) => rules.ignores(path.replace(/\/$/, ""), path.endsWith("/")));
}

for (const [what, text, paths, expected] of [
	[
		"a name is left out at any depth",
		"notes.txt",
		["notes.txt", "a/b/notes.txt", "notes.txt.md"],
		["notes.txt", "a/b/notes.txt"],
	],
	["a slash at its front binds it to the folder", "/notes.txt", ["notes.txt", "a/notes.txt"], ["notes.txt"]],
	["so does one in its middle", "a/notes.txt", ["a/notes.txt", "b/a/notes.txt"], ["a/notes.txt"]],
	["a slash at its end is for folders", "tmp/", ["tmp/", "tmp", "a/tmp/"], ["tmp/", "a/tmp/"]],
	[
		"a star takes no slash, and what begins with a dot",
		"*.map",
		[".map", "a.js.map", "x/.b.map", "map"],
		[".map", "a.js.map", "x/.b.map"],
	],
	["two stars take folders", "a/**/z", ["a/z", "a/b/c/z", "z", "b/a/z"], ["a/z", "a/b/c/z"]],
	["at the end all that is within", "a/**", ["a/", "a/b", "a/b/c"], ["a/b", "a/b/c"]],
	["at the front any depth", "**/z", ["z", "a/b/z"], ["z", "a/b/z"]],
	["the last rule counts", "*.js\n!keep.js\n/keep.js", ["a.js", "x/keep.js", "keep.js"], ["a.js", "keep.js"]],
	["question marks and classes", "?[a-c][!x].t", ["1b2.t", "1d2.t", "1bx.t", "b2.t"], ["1b2.t"]],
	["a bracket that is first stands for itself", "[]a].t", ["].t", "a.t", "b.t"], ["].t", "a.t"]],
	["a bracket without an end does too", "[a.t", ["[a.t", "a.t"], ["[a.t"]],
	["backslashes", "\\#a\n\\!b\nc\\*", ["#a", "!b", "c*", "cd"], ["#a", "!b", "c*"]],
	["comments, blank lines and carriage returns say nothing", "# a\r\n\r\na  \r\n/\n", ["a", "b", "# a"], ["a"]],
	["letters of either case are one", "*.PNG\nREADME.md", ["a.png", "readme.MD"], ["a.png", "readme.MD"]],
] as const)
	test(what, () => assert.deepEqual(ignored(text, paths), expected));

test("a pattern takes a time that is bounded, whatever it is", () => {
	const began = performance.now();
	ignored(`${"*a".repeat(500)}b\n${"**/a/".repeat(200)}b`, [`${"a".repeat(5000)}`, `${"a/".repeat(500)}c`]);
	ignored(`${" ".repeat(250_000)}x\n${"[".repeat(250_000)}`, ["a"]);
	assert.ok(performance.now() - began < 5000);
});
