/**
 * The data of the web-platform-tests (test/wpt-data), each case a test. The cases run inside an isolate, in one request each
 * file; what it answers is then held against what the standard asks for.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { TestRuntime } from "../support/runtime.ts";

const PARTS = [
	"href",
	"origin",
	"protocol",
	"username",
	"password",
	"host",
	"hostname",
	"port",
	"pathname",
	"search",
	"hash",
];

/** The runners, as the function has them. Each takes a case and gives what came of it; JSON carries lone surrogates as escapes. */
const RUNNERS = `
const PARTS = ${JSON.stringify(PARTS)};
const parts = (url) => Object.fromEntries(PARTS.map((part) => [part, url[part]]));
const attempt = (run) => { try { return run(); } catch (error) { return { threw: error.name }; } };
const runners = {
	url: ({ input, base }) => attempt(() => parts(base === null ? new URL(input) : new URL(input, base))),
	canParse: ({ input, base }) => [URL.canParse(input, base ?? undefined), URL.parse(input, base ?? undefined)?.href ?? null],
	searchParams: ({ input, base }) => attempt(() => new URL(input, base ?? undefined).searchParams.toString()),
	setter: ({ property, href, new_value }) => attempt(() => { const url = new URL(href); url[property] = new_value; return parts(url); }),
	toascii: ({ input }) => attempt(() => { const url = new URL("https://" + input + "/x"); return [url.host, url.hostname, url.pathname, url.href]; }),
	toasciiSetter: ({ input, property }) => attempt(() => { const url = new URL("https://x/x"); url[property] = input; return [url.host, url.hostname]; }),
	percentEncode: ({ input }) => attempt(() => { const url = new URL("http://x/?" + input + "#" + input); return [url.search, url.hash]; }),
	pattern: ({ pattern, inputs }) => {
		const made = attempt(() => new URLPattern(...pattern));
		if (made.threw) return made;
		const components = Object.fromEntries(["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"].map((name) => [name, made[name]]));
		const tested = attempt(() => made.test(...(inputs ?? [])));
		const executed = attempt(() => made.exec(...(inputs ?? [])));
		// JSON has no undefined; a group that did not take part in the match is one.
		const text = JSON.stringify(executed, (key, value) => (value === undefined ? "(undefined)" : value));
		return { components, tested, executed: JSON.parse(text), regExpGroups: made.hasRegExpGroups };
	},
};
export default { async fetch(request) {
	const cases = await request.json();
	const runner = runners[new URL(request.url).pathname.slice(1)];
	return Response.json(cases.map(runner));
} };`;

const atoll = new TestRuntime({ isolation: "inline", limits: { cpuMs: 60_000 } });

function read<T>(name: string): T[] {
	return (JSON.parse(readFileSync(`test/wpt-data/${name}.json`, "utf8")) as (T | string)[]).filter(
		(one): one is T => typeof one === "object",
	);
}

/** Tests for all cases of one kind: `check` gets a case and what the isolate made of it. */
function suite<T extends object>(
	name: string,
	runner: string,
	cases: T[],
	title: (one: T) => string,
	check: (one: T, found: never) => void,
): void {
	describe(name, () => {
		let found: never[];
		before(async () => {
			await atoll.ready();
			const body = JSON.stringify(cases);
			found = JSON.parse(await atoll.text("wpt", `/${runner}`, { method: "POST", body })) as never[];
		});
		for (const [i, one] of cases.entries()) test(`${i}: ${title(one).slice(0, 120)}`, () => check(one, found[i]));
	});
}

before(() => atoll.deploy("wpt", RUNNERS));

interface UrlCase {
	input: string;
	base: string | null;
	href: string;
	failure?: boolean;
	searchParams?: string;
}
const urls = [...read<UrlCase>("urltestdata"), ...read<UrlCase>("urltestdata-javascript-only")];
const urlTitle = ({ input, base }: UrlCase) => JSON.stringify(base === null ? [input] : [input, base]);

suite("https://url.spec.whatwg.org/#dom-url-url", "url", urls, urlTitle, (one, found: Record<string, string>) => {
	if (one.failure) assert.deepEqual(found, { threw: "TypeError" });
	else for (const part of PARTS) if (part in one) assert.equal(found[part], one[part as "href"], part);
});
suite("https://url.spec.whatwg.org/#dom-url-canparse", "canParse", urls, urlTitle, (one, found: unknown) => {
	assert.deepEqual(found, [!one.failure, one.failure ? null : one.href]);
});
suite(
	"https://url.spec.whatwg.org/#dom-url-searchparams",
	"searchParams",
	urls.filter((one) => one.searchParams !== undefined),
	urlTitle,
	(one, found: unknown) => assert.equal(found, one.searchParams),
);

interface SetterCase {
	property: string;
	href: string;
	new_value: string;
	expected: Record<string, string>;
}
const setters = Object.entries(
	JSON.parse(readFileSync("test/wpt-data/setters_tests.json", "utf8")) as Record<string, SetterCase[]>,
).flatMap(([property, cases]) => (property === "comment" ? [] : cases.map((one) => ({ ...one, property }))));
suite(
	"https://url.spec.whatwg.org/#api, setters",
	"setter",
	setters,
	({ property, href, new_value }) => `${property}: ${JSON.stringify([href, new_value])}`,
	(one, found: Record<string, string>) => {
		for (const [part, value] of Object.entries(one.expected)) assert.equal(found[part], value, part);
	},
);

interface ToAsciiCase {
	input: string;
	output: string | null;
}
const domains = read<ToAsciiCase>("toascii");
suite(
	"https://url.spec.whatwg.org/#concept-domain-to-ascii",
	"toascii",
	domains,
	({ input }) => JSON.stringify(input),
	(one, found: unknown) => {
		const { output } = one;
		assert.deepEqual(found, output === null ? { threw: "TypeError" } : [output, output, "/x", `https://${output}/x`]);
	},
);
for (const property of ["host", "hostname"])
	suite(
		`https://url.spec.whatwg.org/#dom-url-${property}, of domains`,
		"toasciiSetter",
		domains.map((one) => ({ ...one, property })),
		({ input }) => JSON.stringify(input),
		(one, found: unknown) => {
			const expected = one.output ?? "x";
			assert.deepEqual(found, [expected, expected]);
		},
	);

/** The other encodings of this file are those of documents, whose forms and links they are for: no API of an isolate takes one. */
const encodings = read<{ input: string; output: Record<string, string> }>("percent-encoding");
suite(
	"https://url.spec.whatwg.org/#percent-encoded-bytes, UTF-8",
	"percentEncode",
	encodings,
	({ input }) => JSON.stringify(input),
	(one, found: unknown) => {
		assert.deepEqual(found, [`?${one.output["utf-8"]}`, `#${one.output["utf-8"]}`]);
	},
);

interface Component {
	input: string;
	groups: Record<string, string | null>;
}
interface PatternCase {
	pattern: (string | Record<string, string>)[];
	inputs?: (string | Record<string, string>)[];
	exactly_empty_components?: string[];
	expected_obj?: "error" | Record<string, string>;
	expected_match?: "error" | null | Record<string, Component>;
}
const COMPONENTS = ["protocol", "username", "password", "hostname", "port", "pathname", "search", "hash"];

// The checks follow https://github.com/web-platform-tests/wpt/blob/master/urlpattern/resources/urlpatterntests.js
suite(
	"https://urlpattern.spec.whatwg.org/#urlpattern",
	"pattern",
	read<PatternCase>("urlpatterntestdata"),
	({ pattern, inputs }) => JSON.stringify([pattern, inputs]),
	(
		one,
		found: {
			threw?: string;
			components: Record<string, string>;
			tested: unknown;
			executed:
				| null
				| ({ threw?: string; inputs: unknown[] } & Record<string, { input: string; groups: Record<string, unknown> }>);
		},
	) => {
		if (one.expected_obj === "error") {
			assert.deepEqual(found, { threw: "TypeError" });
			return;
		}
		assert.equal(found.threw, undefined);
		for (const component of COMPONENTS)
			assert.equal(found.components[component], expectedComponent(one, component), component);
		if (one.expected_match === "error") {
			assert.deepEqual([found.tested, found.executed], [{ threw: "TypeError" }, { threw: "TypeError" }]);
			return;
		}
		assert.equal(found.tested, Boolean(one.expected_match));
		const expected = one.expected_match;
		if (expected === null || expected === undefined || typeof expected !== "object") {
			assert.equal(found.executed, null);
			return;
		}
		assert.deepEqual(found.executed?.inputs, (expected as { inputs?: unknown }).inputs ?? one.inputs ?? [{}]);
		for (const component of COMPONENTS) {
			let wanted: Component | undefined = (expected as Record<string, Component>)[component];
			if (wanted === undefined) {
				wanted = { input: "", groups: {} };
				if (!one.exactly_empty_components?.includes(component)) wanted.groups["0"] = "";
			}
			const groups: Record<string, unknown> = Object.fromEntries(
				Object.entries(wanted.groups).map(([name, value]) => [name, value === null ? "(undefined)" : value]),
			);
			assert.deepEqual(found.executed?.[component], { input: wanted.input, groups }, component);
		}
	},
);

/** The components that decide whether one is inherited from the base URL. */
const EARLIER: Record<string, string[]> = {
	protocol: [],
	hostname: ["protocol"],
	port: ["protocol", "hostname"],
	username: [],
	password: [],
	pathname: ["protocol", "hostname", "port"],
	search: ["protocol", "hostname", "port", "pathname"],
	hash: ["protocol", "hostname", "port", "pathname", "search"],
};

/** What a component of the pattern should read: given, inherited from the base URL, or the wildcard. */
function expectedComponent(one: PatternCase, component: string): string {
	const { pattern, expected_obj, exactly_empty_components } = one;
	if (typeof expected_obj === "object" && expected_obj[component] !== undefined) return expected_obj[component];
	const [first, second] = pattern;
	if (exactly_empty_components?.includes(component)) return "";
	if (typeof first === "object" && first[component]) return first[component];
	if (typeof first === "object" && EARLIER[component].some((name) => name in first)) return "*";
	const base = typeof first === "object" && first.baseURL ? first.baseURL : second;
	if (typeof base !== "string" || component === "username" || component === "password") return "*";
	const value = new URL(base)[component as "host"];
	if (component === "protocol") return value.slice(0, -1);
	return component === "search" || component === "hash" ? value.slice(1) : value;
}
