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
export default { fetch: () => Response.json(found) };
