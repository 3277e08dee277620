/**
 * What a package gets in the place of a module that a function does not have. Packages for many platforms import more
 * than they use here, so it fails when something of it is called, and not before.
 */
export function absentModule(name: string, message: string): unknown {
	// The bundler makes a namespace of a module's prototype, and members are found there.
	return Object.create(absent(name, message, {}));
}

/** A module with what it lacks of those names; one that is a function is left as it is. */
export function completed(module: unknown, [name, message, names]: [string, string, string[]]): unknown {
	if (typeof module === "function") return module;
	const rest = absentModule(name, message) as Record<string, unknown>;
	const all: Record<string, unknown> = {};
	for (const one of names) all[one] = rest[one];
	return Object.assign(all, module);
}

/** Something of an absent module: whether a class, a function or an object of others only its use will tell. */
function absent(name: string, message: string, target: object): object {
	const fail = () => {
		throw Object.assign(new Error(`${name}: ${message}`), { code: "MODULE_NOT_FOUND" });
	};
	const members = new Map<string, object>();
	return new Proxy(target, {
		get(_, key, receiver) {
			// What any function or object has is nothing of the module's.
			if (typeof key === "symbol" || key in target) return Reflect.get(target, key, receiver);
			if (NOT_ITS_OWN.has(key)) return undefined;
			const known = members.get(key);
			if (known !== undefined) return known;
			// biome-ignore lint/complexity/useArrowFunction: it may be taken for a class
			const member = absent(`${name}.${key}`, message, function () {});
			members.set(key, member);
			return member;
		},
		apply: fail,
		construct: fail,
	});
}

/** Asked of any value, by which it would pass for a promise, a bundler's module, or what writes itself as JSON. */
const NOT_ITS_OWN = new Set(["then", "__esModule", "toJSON"]);
