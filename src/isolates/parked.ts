import type ivm from "isolated-vm";
import { lend } from "./lent.ts";
import { services } from "./services.ts";

/** What an isolate does with the outside while it has no function yet: nothing. */
type Emit = (...args: unknown[]) => unknown;

/** The functions whose target depends on whose isolate it becomes. */
const OUTLETS = ["emit", "crypto", "reuse"] as const;

/** An isolate made from the base snapshot, with the sandbox's functions lent to it, waiting for a function's script. */
export interface ParkedIsolate {
	isolate: ivm.Isolate;
	context: ivm.Context;
	begin: ivm.Reference<(env: string, bindings: string, flags: string, timers: number, temporal: boolean) => void>;
	finish: ivm.Reference<() => string | null>;
	turn: ivm.Reference<(...args: unknown[]) => void>;
	/** Where what the isolate calls goes; set by whoever takes it. */
	outlet: Record<(typeof OUTLETS)[number], Emit>;
}

/** Makes an isolate ready that was made from the base snapshot. */
export function parkIsolate(isolate: ivm.Isolate): ParkedIsolate {
	const context = isolate.createContextSync();
	const bridge = context.global.getSync("__atoll_bridge", { reference: true }) as ivm.Reference<
		Record<string, unknown>
	>;
	context.global.deleteSync("__atoll_bridge");
	const take = <F extends (...args: never[]) => unknown>(name: string) =>
		bridge.getSync(name, { reference: true }) as unknown as ivm.Reference<F>;
	const outlet = Object.fromEntries(
		OUTLETS.map((name) => [name, () => undefined]),
	) as unknown as ParkedIsolate["outlet"];
	const own = OUTLETS.map((name): [string, ivm.Callback] => [name, lend((...args) => outlet[name](...args))]);
	const all = [...services, ...own];
	const install = take<(names: string, ...functions: unknown[]) => void>("install");
	install.applySync(undefined, [all.map(([name]) => name).join(","), ...all.map(([, callback]) => callback)]);
	install.release();
	const parked = {
		isolate,
		context,
		begin: take<(env: string, bindings: string, flags: string, timers: number, temporal: boolean) => void>("begin"),
		finish: take<() => string | null>("finish"),
		turn: take<(...args: unknown[]) => void>("turn"),
		outlet,
	};
	bridge.release();
	return parked;
}
