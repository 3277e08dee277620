import assert from "node:assert/strict";
import { test } from "node:test";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

/**
 * A request runs one case, and the next one tells what its listeners have heard, with what they were told held against the real
 * thing. Each case is a function of its own: one that had proven light would go on in another isolate, which has heard nothing.
 */
const FUNCTION = `
	const heard = [];
	const known = new Map();
	const name = (value) => known.get(value) ?? "unknown";
	addEventListener("unhandledrejection", (e) => {
		e.preventDefault();
		heard.push(["unhandled", name(e.promise), e.reason instanceof Error ? e.reason.message + (known.has(e.reason) ? "" : " (copy)") : e.reason]);
	});
	onrejectionhandled = (e) => heard.push(["handled", name(e.promise), e.reason?.message ?? e.reason]);
	const know = (value, as) => (known.set(value, as), value);
	const error = (message) => know(new Error(message), "error");

	const CASES = {
		reject: () => { know(Promise.reject(error("a")), "p"); },
		constructor: () => { know(new Promise((_, reject) => reject(error("b"))), "p"); },
		later: () => { know(new Promise((_, reject) => queueMicrotask(() => reject(error("c")))), "p"); },
		throws: () => { know(new Promise(() => { throw error("d"); }), "p"); },
		async: () => { know((async () => { await null; throw error("e"); })(), "p"); },
		derived: () => { know(Promise.resolve(1).then(() => { throw error("f"); }), "p"); },
		passed: () => { know(Promise.reject(error("g")).then(() => 1), "p"); },
		finally: () => { know(Promise.reject(error("h")).finally(() => 1), "p"); },
		adopted: () => { const inner = Promise.reject(error("i")); know(new Promise((resolve) => resolve(inner)), "p"); },
		returned: () => { know(Promise.resolve().then(async () => { throw error("j"); }), "p"); },
		all: () => { know(Promise.all([1, Promise.reject(error("k"))]), "p"); },
		resolvers: () => { const { promise, reject } = Promise.withResolvers(); know(promise, "p"); reject(error("l")); },
		two: () => { know(Promise.reject("m"), "p"); know(Promise.reject("n"), "q"); },
		primitive: () => { know(Promise.reject(7), "p"); },
		handled: () => { Promise.reject(error("o")).catch(() => 0); },
		awaited: async () => { try { await Promise.reject(error("q")); } catch {} },
		handledInTurn: () => { const p = Promise.reject(error("r")); queueMicrotask(() => p.catch(() => 0)); },
		settledBefore: () => { new Promise((resolve, reject) => { resolve(1); reject(error("s")); }); },
		late: async () => {
			const p = know(Promise.reject(error("t")), "p");
			await scheduler.wait(1);
			p.catch(() => 0);
			await null; await null;
		},
		lateAwait: async () => {
			const p = know((async () => { throw error("u"); })(), "p");
			await scheduler.wait(1);
			try { await p; } catch {}
			await null; await null;
		},
		handler: () => { know(Promise.reject(error("v")), "p"); throw new Error("the handler's own"); },
		platform: () => { fetch("not a url"); },
		same: () => heard.push(["same", Promise.resolve(CASES.p ??= Promise.resolve(1)) === CASES.p, Promise.name, (async () => 1)() instanceof Promise]),
		subclass: () => {
			class Mine extends Promise {}
			const p = know(new Mine((_, reject) => reject(error("w"))), "p");
			heard.push(["subclass", p instanceof Mine, p instanceof Promise]);
		},
	};
	const isolate = Math.random();
	export default { async fetch(request) {
		const path = new URL(request.url).pathname.slice(1);
		if (path === "heard") return Response.json({ isolate, heard: heard.splice(0) });
		await CASES[path]();
		return Response.json({ isolate });
	} };`;

const EXPECTED: Record<string, unknown[]> = {
	reject: [["unhandled", "p", "a"]],
	constructor: [["unhandled", "p", "b"]],
	later: [["unhandled", "p", "c"]],
	throws: [["unhandled", "p", "d"]],
	async: [["unhandled", "p", "e"]],
	derived: [["unhandled", "p", "f"]],
	passed: [["unhandled", "p", "g"]],
	finally: [["unhandled", "p", "h"]],
	adopted: [["unhandled", "p", "i"]],
	returned: [["unhandled", "p", "j"]],
	all: [["unhandled", "p", "k"]],
	resolvers: [["unhandled", "p", "l"]],
	two: [
		["unhandled", "p", "m"],
		["unhandled", "q", "n"],
	],
	primitive: [["unhandled", "p", 7]],
	handled: [],
	awaited: [],
	handledInTurn: [],
	settledBefore: [],
	late: [
		["unhandled", "p", "t"],
		["handled", "p", "t"],
	],
	lateAwait: [
		["unhandled", "p", "u"],
		["handled", "p", "u"],
	],
	handler: [["unhandled", "p", "v"]],
	same: [["same", true, "Promise", true]],
	subclass: [
		["subclass", true, true],
		["unhandled", "p", "w"],
	],
};

// https://html.spec.whatwg.org/#unhandled-promise-rejections
inBothIsolations("unhandled rejections", (isolation) => {
	const atoll = new TestRuntime({ isolation });

	/** What a function hears of a case, asked in a second request, which on a slow machine can be another isolate's. */
	async function heardOf(name: string): Promise<unknown[]> {
		for (;;) {
			const asked = JSON.parse(await atoll.text(name, `/${name}`)) as { isolate?: number };
			const { isolate, heard } = JSON.parse(await atoll.text(name, "/heard")) as { isolate: number; heard: unknown[] };
			// A case that fails its request does not say where it ran.
			if (asked.isolate === undefined || isolate === asked.isolate) return heard;
		}
	}

	test("a function hears of the very promise and reason, and of those that were handled after all", async () => {
		for (const [name, expected] of Object.entries(EXPECTED)) {
			await atoll.deploy(name, FUNCTION);
			assert.deepEqual(await heardOf(name), expected, name);
		}
	});

	test("of a promise that the platform made it hears with a copy of the reason", async () => {
		await atoll.deploy("platform", FUNCTION);
		const [[event, promise, reason]] = (await heardOf("platform")) as string[][];
		assert.deepEqual([event, promise], ["unhandled", "unknown"]);
		assert.match(reason, /Invalid URL.* \(copy\)$/);
	});

	test("what nobody prevents is logged with its request", async () => {
		await atoll.deploy(
			"logs",
			`addEventListener("unhandledrejection", () => {}); export default { fetch() { Promise.reject(new Error("nobody cares")); return new Response("ok"); } };`,
		);
		await atoll.text("logs");
		const line = await atoll.log("nobody cares");
		assert.equal(line.level, "error");
		assert.notEqual(line.requestId, "");
	});
});
