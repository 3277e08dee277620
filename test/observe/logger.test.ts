import assert from "node:assert/strict";
import { test } from "node:test";
import { describe } from "../../src/observe/logger.ts";
import { newRecord } from "../../src/observe/record.ts";

const shown = (event: string, fields: object) =>
	describe(
		{ ...newRecord("id", event, "http"), tenant: "default", function: "shop", ...fields, msg: "request" },
		"msg",
	);

test("a request's line on a terminal has its method, path, query and status, and no host", () => {
	const request = { method: "GET", url: "http://shop.localhost:8787/a/b?c=1", status: 200, wallMs: 1.25, cpuMs: 0.5 };
	assert.equal(shown("http", request), "[shop] GET /a/b?c=1 200 in 1.3 ms (CPU 0.5 ms)");
	assert.match(
		shown("http", { ...request, url: "http://shop.localhost/", outcome: "exception" }),
		/GET \/ 200 exception/,
	);
	assert.match(shown("http", { ...request, url: `http://shop.localhost/${"x".repeat(200)}` }), /GET \/x{99}… 200 in/);
});

test("a line on a terminal about what is no request says what it is", () => {
	assert.equal(shown("scheduled", { outcome: "exception" }), "[shop] scheduled exception in 0.0 ms (CPU 0.0 ms)");
	assert.match(shown("rpc", { method: "add", status: 200 }), /^\[shop\] rpc add in /);
});
