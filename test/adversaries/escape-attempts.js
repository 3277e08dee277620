const found = [];
const seen = new Set();
const look = (value, path) => {
	if (
		(typeof value !== "object" && typeof value !== "function") ||
		value === null ||
		seen.has(value) ||
		path.length > 6
	)
		return;
	seen.add(value);
	if (value instanceof Promise) value.catch(() => {}); // Attributes of streams are promises that reject on a prototype.
	try {
		const constructor = value.constructor?.constructor;
		if (constructor !== undefined && constructor !== Function && typeof constructor === "function")
			found.push(path.join("."));
		if (typeof constructor === "function") {
			const escaped = constructor("return typeof process")();
			if (escaped !== "undefined") found.push("process by " + path.join("."));
		}
	} catch {}
	for (const key of Reflect.ownKeys(value)) {
		try {
			look(value[key], [...path, String(key)]);
		} catch {}
	}
	look(Object.getPrototypeOf(value), [...path, "__proto__"]);
};
look(globalThis, []);
try {
	null.f();
} catch (error) {
	look(error, ["error"]);
}
Error.prepareStackTrace = (error, frames) => {
	for (const frame of frames) {
		try {
			look(frame.getThis?.(), ["this"]);
			look(frame.getFunction?.(), ["function"]);
		} catch {}
	}
	return "";
};
new Error().stack;
// The platform's own functions, from the call sites of errors that it throws and of what it calls back.
const callSites = (error, frames) => {
	for (const frame of frames) {
		const name = frame.getFileName() === "atoll:prelude" ? frame.getFunctionName() : null;
		if (name !== null && (frame.getFunction() !== undefined || frame.getThis() !== undefined)) found.push("call site " + name);
	}
	return "";
};
Error.prepareStackTrace = callSites;
const coerced = { toString() { new Error().stack; return "x"; }, get detail() { new Error().stack; }, [Symbol.iterator]: function* () { new Error().stack; } };
for (const call of [
	() => new Request("no url"),
	() => new Request("http://a/", { method: coerced, headers: coerced }),
	() => new Response(coerced, coerced),
	() => new Headers(coerced),
	() => new URL(coerced),
	() => new URLSearchParams(coerced),
	() => new Event(coerced, coerced),
	() => new CustomEvent("a", coerced),
	() => new Blob(coerced),
	() => new TextDecoder(coerced),
	() => atob(coerced),
	() => structuredClone(coerced),
	() => performance.mark(coerced),
	() => new URLPattern(coerced),
	() => console.log(coerced),
	() => new ReadableStream({ start: () => void new Error().stack }),
	() => setTimeout(coerced, coerced),
]) {
	try {
		call();
	} catch (error) {
		error.stack;
	}
}
delete Error.prepareStackTrace;
export default { fetch: () => Response.json(found) };
