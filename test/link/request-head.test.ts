import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestHead } from "../../src/link/messages.ts";
import { decodeClient, decodeList, decodeRequestHead, encodeRequestHead } from "../../src/link/request-head.ts";

const CLIENTS: RequestHead["client"][] = [
	null,
	{ ip: "127.0.0.1", port: 40_000, protocol: "HTTP/1.1", tls: null },
	{ ip: "fe80::1%eth0", port: 0, protocol: "HTTP/2", tls: "TLSv1.3" },
	{ ip: "", port: 0, protocol: "HTTP/1.0", tls: null },
];
const HEADERS = [[], ["host", "a.test"], ["x-empty", "", "x-last", ""], ["x-a", "a b: c\tü", "x-a", "{}"]];

test("a request's head comes out as it went in", () => {
	for (const client of CLIENTS)
		for (const headers of HEADERS)
			for (const [method, url] of [
				["GET", "http://a.test/"],
				["M-SEARCH", "http://a.test/?a=%0A&b={}#"],
			]) {
				const head: RequestHead = { method, url, headers, body: "stream", client };
				const received = decodeRequestHead(encodeRequestHead(head));
				const { client: from, headers: list, ...rest } = received;
				assert.deepEqual({ ...rest, client: decodeClient(from), headers: decodeList(list) }, head);
			}
});

test("it begins as no head in JSON does", () => {
	for (const method of "!#$%&'*+-.^_`|~GET")
		assert.notEqual(encodeRequestHead({ method, url: "http://a/", headers: [], body: "none", client: null })[0], "{");
});
