import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { test } from "node:test";
import { type AssetConfig, assetConfig, type Manifest } from "../../src/assets/asset-config.ts";
import { HeaderRules } from "../../src/assets/header-rules.ts";
import { PathPattern } from "../../src/assets/path-pattern.ts";
import { RedirectRules } from "../../src/assets/redirect-rules.ts";
import { Site } from "../../src/assets/site.ts";
import { accepts } from "../../src/http/accept-encoding.ts";

const asset = (name: string) => ({ upload: name.padEnd(64, "0"), size: 1, type: "text/html" });
const manifest = (...paths: string[]): Manifest =>
	Object.fromEntries(paths.map((path) => [path, asset(path.replaceAll("/", ""))]));
const site = (paths: string[], config: Partial<AssetConfig> = {}) =>
	new Site(manifest(...paths), assetConfig.parse(config));

/** What a path comes to: the file's path, `→ location`, or the status. */
function ask(one: Site, path: string, { method = "GET", headers = [] as string[] } = {}): string {
	const {
		status,
		headers: told,
		body,
	} = one.answer({ method, url: new URL(`http://a.test${path}`), headers, brotli: false });
	if (status >= 300 && status < 400 && status !== 304) return `→ ${told[told.indexOf("location") + 1]}`;
	return body === null ? String(status) : `${status === 200 ? "" : `${status} `}${body.upload.replace(/0+$/, "")}`;
}

const PATHS = ["/index.html", "/file.html", "/folder/index.html", "/both.html", "/both/index.html", "/app.js"];

for (const [handling, expected] of Object.entries({
	"auto-trailing-slash": {
		"/": "index.html",
		"/index": "→ /",
		"/index.html": "→ /",
		"/file": "file.html",
		"/file/": "→ /file",
		"/file.html": "→ /file",
		"/folder": "→ /folder/",
		"/folder/": "folderindex.html",
		"/folder/index": "→ /folder/",
		"/folder/index.html": "→ /folder/",
		"/both": "both.html",
		"/both/": "bothindex.html",
		"/app.js": "app.js",
		"/none": "404",
	},
	"force-trailing-slash": {
		"/": "index.html",
		"/file": "→ /file/",
		"/file/": "file.html",
		"/folder": "→ /folder/",
		"/folder/": "folderindex.html",
		"/app.js": "app.js",
	},
	"drop-trailing-slash": {
		"/": "index.html",
		"/file": "file.html",
		"/file/": "→ /file",
		"/folder": "folderindex.html",
		"/folder/": "→ /folder",
	},
	none: { "/": "404", "/file": "404", "/file.html": "file.html", "/folder/": "404" },
}))
	test(`${handling}: each file has one address, and what is like it leads there`, () => {
		const one = site(PATHS, { html_handling: handling as AssetConfig["html_handling"] });
		for (const [path, answer] of Object.entries(expected)) assert.equal(ask(one, path), answer, path);
	});

test("a query is kept, a file's name is decoded, and a redirect never leads to another host", () => {
	const one = site(["/a%20b.html", "/evil.test/index.html", "/é.html"]);
	assert.equal(ask(one, "/a%20b"), "a%20b.html");
	assert.equal(ask(one, "/a%20b.html?x=1"), "→ /a%20b?x=1");
	assert.equal(ask(one, "/%C3%A9"), "é.html");
	assert.equal(ask(one, "//evil.test"), "404");
	assert.equal(ask(one, "/%"), "404");
});

test("what is not there is a page, the application, or nothing", () => {
	const paths = ["/index.html", "/404.html", "/docs/404.html"];
	assert.equal(ask(site(paths, { not_found_handling: "404-page" }), "/docs/a/b"), "404 docs404.html");
	assert.equal(ask(site(paths, { not_found_handling: "404-page" }), "/x"), "404 404.html");
	assert.equal(ask(site(paths, { not_found_handling: "single-page-application" }), "/x/y"), "index.html");
	assert.equal(ask(site(paths), "/x"), "404");
	assert.equal(ask(site(paths), "/", { method: "POST" }), "405");
});

test("a file that a client has is not sent again", () => {
	const one = site(PATHS);
	const { headers } = one.answer({ method: "GET", url: new URL("http://a.test/file"), headers: [], brotli: false });
	const etag = headers[headers.indexOf("etag") + 1];
	for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"])
		assert.equal(ask(one, "/file", { headers: ["if-none-match", known] }), "304");
	assert.equal(ask(one, "/file", { headers: ["if-none-match", '"other"'] }), "file.html");
});

test("run_worker_first: always, never, or by paths of which one with ! takes back", () => {
	const first = (config: AssetConfig["run_worker_first"], path: string) =>
		site(PATHS, { run_worker_first: config }).isFunctionFirst(new URL(`http://a.test${path}`));
	assert.equal(first(true, "/file"), true);
	assert.equal(first(false, "/file"), false);
	assert.equal(first(["/api/*", "!/api/docs/*"], "/api/users"), true);
	assert.equal(first(["/api/*", "!/api/docs/*"], "/api/docs/x"), false);
	assert.equal(first(["/api/*"], "/file"), false);
});

test("_redirects: the first exact one, then patterns in order; splats and placeholders are filled in", () => {
	const rules = new RedirectRules(
		[
			"# a comment",
			"/a /b",
			"/a /c",
			"/blog/:slug /posts/:slug 301",
			"/old/* /new/:splat 308",
			"/far https://else.test/x 302",
			"/in /file 200",
			"/bad",
			"/bad2 /x 999",
			"//x /y",
			"/js javascript:alert(1)",
		].join("\n"),
	);
	assert.deepEqual(rules.find("/a"), { to: "/b", status: 302 });
	assert.deepEqual(rules.find("/blog/one"), { to: "/posts/one", status: 301 });
	assert.deepEqual(rules.find("/old/a/b"), { to: "/new/a/b", status: 308 });
	assert.deepEqual(rules.find("/far"), { to: "https://else.test/x", status: 302 });
	assert.deepEqual(rules.find("/in"), { to: "/file", status: 200 });
	for (const path of ["/blog/a/b", "/blog/", "/bad", "/bad2", "/js", "/none"])
		assert.equal(rules.find(path), null, path);
});

test("who takes brotli gets it where there is some, as another state of the file", () => {
	const brotli = { upload: "b".repeat(64), size: 1 };
	const one = new Site({ "/app.js": { ...asset("app.js"), brotli }, "/a.js": asset("a.js") }, assetConfig.parse({}));
	const ask = (path: string, headers: string[], takes = true) => {
		const url = new URL(path, "http://a.test");
		const answer = one.answer({ method: "GET", url, headers, brotli: takes });
		const told = (name: string) => answer.headers[answer.headers.indexOf(name) + 1 || answer.headers.length];
		return [answer.status, answer.body?.upload[0], told("content-encoding"), told("vary")];
	};
	const plain = [200, "a", undefined, "accept-encoding"];
	assert.deepEqual(ask("/app.js", []), [200, "b", "br", "accept-encoding"]);
	assert.deepEqual(ask("/app.js", [], false), plain);
	assert.deepEqual(ask("/a.js", []), [200, "a", undefined, undefined]);
	// A part is one of the file as it is.
	assert.deepEqual(ask("/app.js", ["range", "bytes=0-0"]), [206, "a", undefined, "accept-encoding"]);
	const etag = `"${"b".repeat(32)}"`;
	assert.deepEqual(ask("/app.js", ["if-none-match", etag]), [304, undefined, undefined, "accept-encoding"]);
	assert.deepEqual(ask("/app.js", ["if-none-match", etag], false), plain);
});

test("which requests take an encoding", () => {
	for (const [value, taken] of [
		["br", true],
		["gzip, deflate, BR;q=0.5", true],
		["gzip;q=1.0, br;q=0", false],
		["gzip", false],
		["*", false],
		["abr", false],
	] as const)
		assert.equal(accepts(["accept-encoding", value], "br"), taken, value);
	assert.equal(accepts([], "br"), false);
});

test("_headers: set, joined, taken away, and never what would break the response", () => {
	const rules = new HeaderRules(
		[
			"/*",
			"  X-All: yes",
			"  Cache-Control: public",
			"/a/:id",
			"  X-All: more",
			"  X-Id: :id",
			"  ! etag",
			"https://b.test/*",
			"  X-Host: b",
			"/bad",
			"  Content-Length: 5",
			"  Broken Name: x",
			"  X-Split: a\rb",
		].join("\n"),
	);
	const headers = new Map([["etag", "1"]]);
	rules.apply(headers, { host: "a.test", path: "/a/7" });
	assert.deepEqual(Object.fromEntries(headers), { "x-all": "yes, more", "cache-control": "public", "x-id": "7" });
	const other = new Map<string, string>();
	rules.apply(other, { host: "a.test", path: "/bad" });
	assert.ok(!other.has("content-length") && !other.has("x-host"));
});

test("a pattern takes a time that is linear in the path, whatever it is", () => {
	const path = `/${"a/".repeat(8000)}`;
	const began = performance.now();
	for (const pattern of ["/*a", `/${":x/".repeat(3000)}*`, "/*a/a/a/b", "/:a:b:c/*"])
		new PathPattern(pattern).match(path);
	// Of what is not linear it would be hours: no figure is asserted, the test's own limit is enough.
	assert.ok(performance.now() - began >= 0);
	assert.deepEqual(new PathPattern("/a*c/:d").match("/axc/d"), null);
	assert.deepEqual(new PathPattern("/:a/x*z").match("/1/xyyz"), { a: "1", splat: "yy" });
});

test("rules of a stranger's site, and a path that is all slashes, take no time and no memory of the edge's", () => {
	const slashes = "/".repeat(15_000);
	const long = `/${"x".repeat(15_000)}`;
	const many = (rule: (i: number) => string) => Array.from({ length: 2100 }, (_, i) => rule(i)).join("\n");
	const pages = { not_found_handling: "404-page" as const };
	// Another process may have the core meanwhile.
	const fastest = (ask: () => unknown) =>
		Math.min(
			...[1, 2, 3].map(() => {
				const began = performance.now();
				ask();
				return performance.now() - began;
			}),
		);
	assert.ok(fastest(() => new RedirectRules(`${" #".repeat(100_000)}\rx`)) < 500);
	assert.ok(fastest(() => ask(site(["/404.html"], pages), slashes)) < 100);
	assert.ok(fastest(() => ask(site([], { _redirects: many((i) => `/*q${i} /b`) }), slashes)) < 100);
	// What a short path may still ask for.
	const filled = site([], { _redirects: `/:a /${":a".repeat(25_000)}` });
	assert.equal(ask(filled, long), "404");
	assert.equal(ask(site([], { _redirects: "/:a /b/:a" }), long), `→ /b${long}`);
	const headers = new Map<string, string>();
	new HeaderRules(`/:a\n${" y: :a\n".repeat(10_000)}`).apply(headers, { host: "a.test", path: long });
	assert.ok((headers.get("y")?.length ?? 0) < 150_000);
});
