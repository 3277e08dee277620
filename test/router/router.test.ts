import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/errors.ts";
import { parseHost } from "../../src/router/hostname.ts";
import { Router } from "../../src/router/router.ts";

test("exact names come first, then the longest wildcard, then *", () => {
	const router = new Router<string>();
	for (const pattern of ["*", "*.example.com", "*.b.example.com", "a.b.example.com"])
		router.set(Router.normalize(pattern), pattern);
	const expected: Record<string, string> = {
		"a.b.example.com": "a.b.example.com",
		"x.b.example.com": "*.b.example.com",
		"y.x.b.example.com": "*.b.example.com",
		"b.example.com": "*.example.com",
		"example.com": "*",
		"other.org": "*",
	};
	for (const [hostname, pattern] of Object.entries(expected)) assert.equal(router.lookup(hostname), pattern, hostname);
	router.delete("*");
	assert.equal(router.lookup("other.org"), undefined);
	router.delete("*.b.example.com");
	assert.equal(router.lookup("x.b.example.com"), "*.example.com");
});

test("hosts are normalised: ports, case, a trailing dot, international names, addresses", () => {
	const hosts: Record<string, [string, string] | null> = {
		"example.com": ["example.com", ""],
		"EXAMPLE.com:8080": ["example.com", "8080"],
		"example.com.": ["example.com", ""],
		"example.com.:80": ["example.com", "80"],
		"bücher.example": ["xn--bcher-kva.example", ""],
		"BÜCHER.example": ["xn--bcher-kva.example", ""],
		"ＦＵＬＬ.example": ["full.example", ""],
		"my_app.localhost": ["my_app.localhost", ""],
		"127.0.0.1:8787": ["127.0.0.1", "8787"],
		"[::1]:8787": ["[::1]", "8787"],
		"[0:0::1]": ["[::1]", ""],
		"example.com\u3002": ["example.com", ""],
		"0x7f.1": ["127.0.0.1", ""],
		"1.2.3.256": null,
		"example.com..": null,
		"": null,
		":80": null,
		".": null,
		"a..b": null,
		"a b": null,
		"a/b": null,
		"user@host": null,
		"host:99999": null,
		"host:8x": null,
		"[::1": null,
		"[zz]": null,
		"a\tb": null,
		"%41.com": null,
	};
	for (const [value, expected] of Object.entries(hosts)) {
		assert.deepEqual(
			parseHost(value),
			expected === null ? null : { hostname: expected[0], port: expected[1] },
			JSON.stringify(value),
		);
	}
	assert.equal(parseHost(`${"a".repeat(64)}.com`), null);
	assert.equal(parseHost(`${"a.".repeat(200)}com`), null);
});

test("patterns that are none are refused", () => {
	for (const pattern of ["", "a.*.b", "**", "*.", "http://a", "a b", "*a.com"])
		assert.throws(() => Router.normalize(pattern), UsageError, pattern);
});

test("100,000 hostnames keep their own functions", () => {
	const router = new Router<number>();
	for (let i = 0; i < 100_000; i++) router.set(`host${i}.example.com`, i);
	for (let i = 0; i < 100_000; i += 997) assert.equal(router.lookup(`host${i}.example.com`), i);
	assert.equal(router.lookup("host100000.example.com"), undefined);
});
