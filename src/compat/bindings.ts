/**
 * A function in the syntax of service workers is given nothing but events, and has its variables and bindings as
 * globals, as on Workers. What the platform has by that name stays.
 */
for (const [name, value] of Object.entries(Deno.env.toObject()))
	if (!(name in globalThis))
		Object.defineProperty(globalThis, name, { value, writable: true, enumerable: true, configurable: true });
