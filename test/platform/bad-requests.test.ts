import assert from "node:assert/strict";
import { test } from "node:test";
import { say } from "../support/command-line.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";

const platform = await startPlatform();
const FUNCTIONS = "/v1/tenants/default/functions";
const MODULE = "application/javascript+module";
const authorization = `Bearer ${TOKEN}`;

async function ask(method: string, path: string, body?: FormData | string, headers = {}): Promise<string> {
	const response = await fetch(`http://127.0.0.1:${platform.adminPort}${path}`, {
		method,
		headers: { authorization, ...headers },
		...(body !== undefined && { body }),
	});
	return `${response.status} ${await response.text()}`;
}

/** A form with metadata and one module, which answers `x`. */
function form(metadata: string): FormData {
	const parts = new FormData();
	parts.set("metadata", metadata);
	parts.set("a.js", new File([say("x")], "a.js", { type: MODULE }));
	return parts;
}
const upload = (name: string, metadata: string) =>
	ask("POST", `${FUNCTIONS}/${name}/versions`, form(`{"main":"a.js",${metadata}}`));
const cloudflare = (name: string, metadata: string) =>
	ask("PUT", `/client/v4/accounts/default/workers/scripts/${name}`, form(`{"main_module":"a.js",${metadata}}`));
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

await platform.deploy("base", say("base"));

test("a body that is no form is the sender's mistake", async () => {
	for (const path of [`${FUNCTIONS}/base/versions`, "/client/v4/accounts/default/workers/scripts/base/versions"]) {
		assert.match(await ask("POST", path, "{}", { "content-type": "application/json" }), /^400 .*no form/);
		assert.match(await ask("POST", path, "--a\r\nx", { "content-type": "multipart/form-data; boundary=a" }), /^400 /);
		assert.match(await ask("POST", path), /^400 /);
	}
});

test("a form of very many parts is refused before it is taken apart", async () => {
	const part = '--b\r\ncontent-disposition: form-data; name="a.js"; filename="a.js"\r\n\r\n1\r\n';
	const body = `${part.repeat(50_000)}--b--\r\n`;
	const type = { "content-type": "multipart/form-data; boundary=b" };
	assert.match(await ask("POST", `${FUNCTIONS}/many/versions`, body, type), /^400 .*2100 parts/);
});

test("bindings that an edge would refuse are refused when they are uploaded, and nothing is kept", async () => {
	for (const [binding, why] of [
		[`"A":{"type":"nope"}`, /no binding of the type nope/],
		[`"A":{"type":"fetch"}`, /no binding of the type fetch/],
		[`"A":{"type":"service"}`, /bindings\.A: function: /],
		[`"A":{"type":"service","function":5}`, /bindings\.A: function: /],
		[`"A":{"type":"service","function":"base","more":1}`, /Unrecognized key/],
		[`"a b":{"type":"service","function":"base"}`, /must be a name/],
		[`"A":{"type":"service","function":"base","entrypoint":"no name"}`, /entrypoint/],
		[`"A":{"type":"service","function":"base","props":${nested(50)}}`, /props/],
	] as const) {
		const answer = await upload("bound", `"bindings":{${binding}}`);
		assert.match(answer, /^400 /, binding);
		assert.match(answer, why);
	}
	assert.match(
		await upload("bound", `"variables":{"A":1},"bindings":{"A":{"type":"service","function":"base"}}`),
		/^400 .*variable of this name/,
	);
	assert.match(await cloudflare("bound2", `"bindings":[{"name":"A","type":"service","service":"a b"}]`), /^400 /);
	assert.match(await cloudflare("bound2", `"bindings":[{"name":"a b","type":"plain_text","text":""}]`), /^400 /);
	const secret = `{"name":"S","type":"secret_text","text":"s"}`;
	assert.match(
		await cloudflare("bound2", `"bindings":[${secret},{"name":"B","type":"service","service":"a b"}]`),
		/^400 /,
	);
	assert.equal((await platform.api("GET", `${FUNCTIONS}/bound2`)).status, 404);
	assert.doesNotMatch(platform.log, /cannot be served/);
});

test("a variable or a secret with the name of a binding leaves the binding in its place", async () => {
	const code = `export default { fetch: async (r, env) => new Response(await (await env.BASE.fetch(r)).text()) };`;
	const parts = form(`{"main":"a.js","bindings":{"BASE":{"type":"service","function":"base"}}}`);
	parts.set("a.js", new File([code], "a.js", { type: MODULE }));
	assert.match(await ask("POST", `${FUNCTIONS}/caller/versions`, parts), /^200 /);
	await platform.api("POST", `${FUNCTIONS}/caller/releases`, { shares: [{ version: "1", percent: 100 }] });
	await platform.api("PATCH", `${FUNCTIONS}/caller/variables`, { BASE: "variable" });
	await platform.api("PATCH", `${FUNCTIONS}/caller/secrets`, { BASE: "secret" });
	assert.equal((await platform.get("caller.localhost")).text, "base");
	assert.doesNotMatch(platform.log, /cannot be served/);
});

test("variables have names, and are as many, as large and as deep as can be served", async () => {
	for (const [variables, why] of [
		[`{"a b":1}`, /^400 .*no name/],
		[`{"":1}`, /^400 .*no name/],
		[`{"__proto__":{"a":1}}`, /^400 .*__proto__/],
		[`{"A":{"__proto__":1}}`, /^400 .*__proto__/],
		[`{"A":${nested(100)}}`, /^400 .*nested/],
		[`{"A":${nested(100_000)}}`, /^400 .*nested/],
		[JSON.stringify({ A: "x".repeat(300_000) }), /^413 /],
		[JSON.stringify(Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`V${i}`, i]))), /^400 .*128/],
	] as const) {
		assert.match(await upload("varied", `"variables":${variables}`), why, variables.slice(0, 40));
		assert.match(await ask("PATCH", `${FUNCTIONS}/base/variables`, variables), why, variables.slice(0, 40));
	}
	assert.match(await ask("PATCH", `${FUNCTIONS}/base/secrets`, `{"__proto__":"x"}`), /^400 /);
	assert.match(await ask("PATCH", `${FUNCTIONS}/base/secrets`, `{"a b":"x"}`), /^400 /);
	assert.match(await cloudflare("varied", `"bindings":[{"name":"__proto__","type":"version_metadata"}]`), /^400 /);
	// Whoever still sends when it is refused may not get to hear why.
	const large = ask("PATCH", `${FUNCTIONS}/base/variables`, `{"A":"${"x".repeat(5 * 2 ** 20)}"}`);
	assert.match(await large.catch(() => "413 unheard"), /^413 /);
	assert.equal((await platform.get("base.localhost")).text, "base");
});

test("what is kept beside a version is bounded", async () => {
	const many = JSON.stringify(Array.from({ length: 1000 }, () => "x"));
	const settings = "/client/v4/accounts/default/workers/scripts/base/script-settings";
	assert.match(await ask("PATCH", settings, `{"tags":${many}}`), /^400 /);
	assert.match(await upload("noted", `"compatibilityFlags":${many}`), /^400 /);
	assert.match(await cloudflare("noted", `"compatibility_date":"${"x".repeat(1000)}"`), /^400 /);
	assert.match(await cloudflare("noted", `"annotations":{"workers/message":"${"x".repeat(10_000)}"}`), /^400 /);
	assert.match(await cloudflare("noted", `"tags":${many}`), /^400 /);
});

test("nobody has a hostname at which another tenant's previews are", async () => {
	await platform.deploy("shop", say("shop"));
	await platform.deploy("thief", say("thief"), "--tenant", "acme");
	await platform.api("PUT", `${FUNCTIONS}/shop/hostnames`, ["shop.example.test"]);
	const claim = (hostname: string) =>
		platform.api("PUT", "/v1/tenants/acme/functions/thief/hostnames", [hostname]).then(({ status }) => status);
	assert.equal(await claim("staging--shop.example.test"), 409);
	assert.equal(await claim("a--b--shop.example.test"), 200);
	assert.equal(await claim("staging--other.example.test"), 200);
});

test("shares and aliases that make no sense are refused before anything is looked for", async () => {
	const release = (body: string) => ask("POST", `${FUNCTIONS}/base/releases`, body);
	for (const percent of ["1e308", "1e999", "-1", "0.001", '"100"', "null"])
		assert.match(await release(`{"shares":[{"version":"1","percent":${percent}}]}`), /^400 /, percent);
	const shares = Array.from({ length: 1000 }, () => ({ version: "none", percent: 0.1 }));
	assert.match(await release(JSON.stringify({ shares })), /^400 .*more than 10 versions/);
	assert.match(await release(`{"alias":"A B","shares":[{"version":"1","percent":100}]}`), /^400 .*alias/);
	assert.match(await ask("DELETE", `${FUNCTIONS}/base/aliases/constructor`), /^404 /);
	assert.match(await release(`{"alias":"constructor","shares":[{"version":"1","percent":100}]}`), /^200 /);
	assert.equal((await platform.get("constructor--base.localhost")).text, "base");
	assert.match(await ask("DELETE", `${FUNCTIONS}/base/aliases/constructor`), /^200 /);
	const made = [];
	for (let i = 0; i < 50; i++)
		made.push(await release(`{"alias":"alias-${i}","shares":[{"version":"1","percent":100}]}`));
	assert.match(made[0], /^200 /);
	assert.match(made[49], /^400 .*50 aliases/);
});

test("nothing that was refused was the server's fault", () => {
	assert.doesNotMatch(platform.log, /"level":50/);
});
