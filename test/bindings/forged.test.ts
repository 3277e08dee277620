import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "../../src/bindings/binding.ts";
import type { EdgeServices } from "../../src/bindings/edges.ts";
import { decodeFetchHead, encodeFetchHead } from "../../src/bindings/fetch/schema.ts";
import { newChain } from "../../src/bindings/functions.ts";
import { create as createObjects } from "../../src/bindings/objects/edge.ts";
import {
	decodeKeys,
	decodeParts,
	encodeKeys,
	encodeObjectsAsked,
	encodePart,
} from "../../src/bindings/objects/schema.ts";
import { decodeServiceCall, encodeServiceCall, isPath } from "../../src/bindings/service/schema.ts";
import { decodeSocketAsked, encodeSocketAsked } from "../../src/bindings/sockets/schema.ts";
import { decodeAnswer, decodeCall, encodeAnswer, encodeCall, isCall } from "../../src/link/calls.ts";
import { noCalls, replyOf } from "../support/calls.ts";
import { until } from "../support/until.ts";

test("a call and its answer are read as they were written", () => {
	for (const argument of ["", "a", "\n\n", "GET\nfollow\nhttp://a/\nx\ny"]) {
		const call = { binding: 12, body: "stream", argument } as const;
		assert.ok(isCall(encodeCall(call)));
		assert.deepEqual(decodeCall(encodeCall(call)), call);
		const answer = { body: "whole", text: argument } as const;
		assert.deepEqual(decodeAnswer(encodeAnswer(answer)), answer);
	}
});

test("what is no call is known as none", () => {
	for (const text of [
		"",
		"0",
		"0\nnone",
		"0\nboth\n",
		"00\nnone\n",
		"-1\nnone\n",
		"1.0\nnone\n",
		"10000\nnone\n",
		" 0\nnone\n",
	])
		assert.equal(isCall(text), false, JSON.stringify(text));
});

test("a connection that the prelude never asks for is none", () => {
	const connect = { kind: "connect", socket: 3, tls: false, halfOpen: true, hostname: "a.test", port: 80 } as const;
	const starttls = { kind: "starttls", socket: 3, servername: "a.test" } as const;
	for (const asked of [connect, starttls, { ...connect, hostname: "::1", tls: true }])
		assert.deepEqual(decodeSocketAsked(encodeSocketAsked(asked)), asked);
	for (const change of [
		{ socket: -1 },
		{ socket: 1.5 },
		{ hostname: "" },
		{ hostname: "a b" },
		{ hostname: "a\n" },
		{ hostname: "a".repeat(254) },
		{ port: 0 },
		{ port: 65536 },
		{ port: 1.5 },
	])
		assert.equal(decodeSocketAsked(encodeSocketAsked({ ...connect, ...change })), null, JSON.stringify(change));
	for (const text of ["", "connect", "starttls\n1\n", "starttls\n1\na\n", `${encodeSocketAsked(starttls)}\n`])
		assert.equal(decodeSocketAsked(text), null, JSON.stringify(text));
});

test("a request that the prelude never makes is none", () => {
	const head = { method: "GET", redirect: "follow", url: "http://a/", headers: ["x-a", "b"] } as const;
	const of = (change: object) => encodeFetchHead({ ...head, headers: [...head.headers], ...change });
	assert.deepEqual(decodeFetchHead(of({})), head);
	for (const change of [
		{ method: "GET /" },
		{ method: "" },
		{ redirect: "other" },
		{ url: "http://a/\r" },
		{ url: "http://a/\0" },
		{ headers: ["x-a"] },
		{ headers: ["X-A", "b"] },
		{ headers: ["x a", "b"] },
		{ headers: ["", "b"] },
		{ headers: ["x-a", "b\r"] },
		{ headers: ["x-a", "b\nhost"] },
	])
		assert.equal(decodeFetchHead(of(change)), null, JSON.stringify(change));
});

test("a call of a service is read as it was written, and what is none is known as none", () => {
	const asked = { entrypoint: "Admin", props: '{"a":1}' };
	for (const call of [
		{ ...asked, rpc: null, request: "GET\nfollow\nhttp://a/\nx-a\nb" },
		{ entrypoint: "", props: "", rpc: null, request: "" },
		{ ...asked, rpc: { what: "call", path: ["add"] }, request: "" } as const,
		{ ...asked, rpc: { what: "get", path: ["a", "b.c", " "] }, request: "" } as const,
	])
		assert.deepEqual(
			decodeServiceCall(encodeServiceCall({ ...call, rpc: call.rpc && { ...call.rpc, path: [...call.rpc.path] } })),
			call,
		);
	const long = "x".repeat(257);
	for (const rest of [
		"",
		"call",
		"call\n",
		"call\na\n",
		"call\n\na",
		"set\na",
		`get\n${long}`,
		`call\n${"a\n".repeat(16)}a`,
		`call\n${"x".repeat(100_000)}`,
	])
		assert.equal(decodeServiceCall(`\n\n${rest}`), null, JSON.stringify(rest.slice(0, 20)));
	for (const text of ["", "a", "a\nb", "fetch\n"]) assert.equal(decodeServiceCall(text), null);
	for (const path of [[], [""], ["a\nb"], [long], Array.from({ length: 17 }, () => "a")])
		assert.equal(isPath(path), false);
});

test("a call of a binding that the function does not have is taken for a forgery, and nothing is held for it", () => {
	const calls = noCalls({ subrequests: 10 });
	assert.equal(calls.call(1, "7\nnone\n", undefined, replyOf({ send: () => assert.fail() })), false);
	assert.equal(calls.account.held, 0);
});

test("so is one under the number of another that still runs, which is stopped with the attempt", async () => {
	let signal: AbortSignal | null = null;
	const perform = (_: unknown, given: AbortSignal) => {
		assert.equal(signal, null);
		signal = given;
		return new Promise<never>((_, reject) => given.addEventListener("abort", reject));
	};
	const limits = { subrequests: 10, concurrentSubrequests: 10, subrequestMs: 60_000 };
	const calls = noCalls(limits, () => ({ prepare: () => ({ target: "", perform }) }));
	const reply = replyOf({ send: () => assert.fail() });
	assert.equal(calls.call(1, "1\nnone\n", undefined, reply), true);
	assert.equal(calls.call(1, "1\nnone\n", undefined, reply), false);
	calls.close();
	assert.equal((signal as AbortSignal | null)?.aborted, true);
	await until(() => calls.account.held === 0);
});

const CALLER = { function: { tenant: "default", name: "f" }, chain: newChain() } as Caller;

test("what the prelude never asks of a bucket is nothing", () => {
	const bucket = createObjects({} as EdgeServices).open({ bucket: "bucket" }, CALLER);
	const metadata = { http: ["content-type", "a/b", "expires", "0"], custom: ["a", "b"], storageClass: "Standard" };
	const put = { op: "put", key: "k", metadata, onlyIf: null, expected: null } as const;
	for (const asked of [put, { op: "get", key: "k", onlyIf: null, range: { suffix: 1 } }, { op: "delete" }] as const)
		assert.equal(typeof bucket.prepare(encodeObjectsAsked(asked)), "object", asked.op);
	for (const [header, value] of [
		["x-other", "1"],
		["content-type\r\nx-other", "1"],
		["expires", "soon"],
	])
		assert.equal(
			bucket.prepare(encodeObjectsAsked({ ...put, metadata: { ...metadata, http: [header, value] } })),
			null,
		);
	const odd = { ...put, metadata: { ...metadata, custom: ["a"] } };
	assert.equal(bucket.prepare(encodeObjectsAsked(odd)), null);
	for (const text of [
		...["", "{}", "null", '{"op":"drop"}', '{"op":"sweep","tenant":"other"}', '{"op":"delete","keys":["k"]}'],
		'{"op":"get","key":"k","onlyIf":null,"range":{"offset":-1,"length":null}}',
		'{"op":"get","key":"k","onlyIf":null,"range":null,"tenant":"other"}',
		'{"op":"part","key":"k","upload":"u","number":10001}',
	])
		assert.equal(bucket.prepare(text), null, text);
	assert.match(String(bucket.prepare('{"op":"head","key":"\\ud800"}')), /^400 10020 /);
});

test("keys and parts beside a call are read as they were written, and nothing else is", () => {
	const keys = ["a", "1:2", "", "ü\n\u{1f600}", "k".repeat(1024)];
	assert.deepEqual(decodeKeys(encodeKeys(keys), 5), keys);
	assert.equal(decodeKeys(encodeKeys(keys), 4), null);
	for (const text of ["a", "1", "1:", "-1:a", "01:a", "2:a", "100000:a", ":", "1:a2"])
		assert.equal(decodeKeys(text, 10), null, text);
	const etag = "0123456789abcdef".repeat(2);
	assert.deepEqual(decodeParts(encodePart(1, etag) + encodePart(10_000, "no\nhash"), 2), [
		{ number: 1, etag },
		{ number: 10_000, etag: "0".repeat(32) },
	]);
	assert.deepEqual(decodeParts("", 0), []);
	for (const text of [`0 ${etag}\n`, `1 ${etag}`, `1 ${etag}\n\n`, `1  ${etag}\n`, "1 \n"])
		assert.equal(decodeParts(text, 10), null, text);
	assert.equal(decodeParts(encodePart(1, etag).repeat(3), 2), null);
});
