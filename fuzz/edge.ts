/** The edge that is fuzzed: `edge.ts DATA`, a process that takes orders over Node's channel and ends with it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { EdgeFunction } from "../src/deployments/function.ts";
import { createRuntime } from "../src/index.ts";
import type { Limits } from "../src/limits/limits.ts";
import { HttpServer } from "../src/server/http-server.ts";
import { LinkTap, TAKEN, type Takeover } from "./link-tap.ts";
import { MAX_ACCOUNT } from "./watch.ts";

/** What the fuzzer has the edge do. */
export type Order =
	| { deploy: { name: string; source: string } | { name: string; entry: string }; limits?: Partial<Limits> }
	| { remove: string }
	| { takeOver: Takeover | null }
	| { observe: { collect: boolean } };

/** What the edge says of itself. */
export interface Observation {
	inFlight: number;
	/** What is alive of its memory, buffers included; as of now only where garbage was collected for it. */
	heldBytes: number;
	/** What is on its account for functions and their clients. */
	accountBytes: number;
	/** How many sandboxes were lost until now. */
	restarts: number;
	/** Why they were lost, and who was struck, since it was last asked. */
	losses: string[];
	struck: string[];
	/** What went wrong in the edge itself, since it was last asked: the stacks. */
	faults: string[];
}

// As bin/atoll.js does.
setFlagsFromString("--no-concurrent-marking");
const [data] = process.argv.slice(2);
const losses: string[] = [];
const struck: string[] = [];
const faults: string[] = [];
const { strike, struck: isStruck } = EdgeFunction.prototype;
EdgeFunction.prototype.strike = function (this: EdgeFunction, now) {
	struck.push(this.name);
	strike.call(this, now);
};
const tap = new LinkTap();
// Whoever gets out of V8 has the functions of its sandbox at its mercy: it is alone in one, since the edge is what is tried.
EdgeFunction.prototype.struck = function (this: EdgeFunction, now) {
	return this.name.startsWith(TAKEN) || isStruck.call(this, now);
};
const ignored = () => undefined;
const runtime = await createRuntime({
	data,
	maxHeldBytes: MAX_ACCOUNT,
	cache: { maxBytes: 256 * 2 ** 20 },
	limits: { cpuMs: 200, wallMs: 1500, memoryMb: 64, subrequestMs: 1000, subrequestBodyBytes: 16 * 2 ** 20 },
	// The servers of the fuzzer itself.
	egress: { allow: ["127.0.0.1"] },
	// Every case is a function that is new.
	recyclesPerMinute: 100_000,
	logger: {
		debug: ignored,
		info: ignored,
		warn: (_fields, message) => losses.push(message),
		error: (fields, message) => ("fault" in fields ? faults.push(String(fields.fault)) : losses.push(message)),
	},
});
const server = new HttpServer(runtime);

async function carryOut(order: Order): Promise<unknown> {
	if ("deploy" in order) {
		const { name } = order.deploy;
		let entry = "entry" in order.deploy ? order.deploy.entry : "";
		if ("source" in order.deploy) {
			entry = join(data, `${name}.js`);
			writeFileSync(entry, order.deploy.source);
		}
		return runtime.deploy({ name, hostnames: [`${name}.test`], entry, env: { name }, limits: order.limits });
	}
	if ("remove" in order) return runtime.remove({ name: order.remove });
	if ("takeOver" in order) {
		tap.takeover = order.takeOver;
		return null;
	}
	if (order.observe.collect) globalThis.gc?.();
	const { inFlight, restarts, heldBytes: accountBytes } = runtime.stats();
	const { heapUsed, external } = process.memoryUsage();
	return {
		inFlight,
		heldBytes: heapUsed + external,
		accountBytes,
		restarts,
		losses: losses.splice(0),
		struck: struck.splice(0),
		faults: faults.splice(0),
	} satisfies Observation;
}

process.on("message", ({ id, order }: { id: number; order: Order }) => {
	carryOut(order).then(
		(result) => process.send?.({ id, result }),
		(error: Error) => process.send?.({ id, error: error.message }),
	);
});
process.on("disconnect", () => process.exit(0));
process.send?.({ port: (await server.listen(0, "127.0.0.1")).port });
