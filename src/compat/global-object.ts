/**
 * The globals of Node on the global object, for functions that look for them there: elsewhere each is bundled where a
 * function names it.
 */
import { Buffer } from "./buffer.ts";
import { process } from "./process.ts";
import { clearImmediate, setImmediate } from "./timers.ts";

for (const [name, value] of Object.entries({ Buffer, process, clearImmediate, setImmediate, global: globalThis }))
	if (!(name in globalThis))
		Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
