// Throws what whoever describes it will choke on: circular causes, getters that throw or loop, symbols, proxies of proxies.
const circular = new Error("circular");
circular.cause = new AggregateError([circular, { cause: circular }], "all of it", { cause: circular });
const getters = new Error("getters");
for (const key of ["stack", "message", "name", "cause", "toString"])
	Object.defineProperty(getters, key, {
		get() {
			throw getters;
		},
	});
const loops = { [Symbol.toPrimitive]: () => loops, toString: () => loops, valueOf: () => loops };
let proxy = new Error("proxy");
for (let i = 0; i < 1000; i++) proxy = new Proxy(proxy, { get: (target, key) => (key === "stack" ? proxy : target[key]) });
const revoked = Proxy.revocable(new Error("revoked"), {});
revoked.revoke();
const long = new Error("x".repeat(2 ** 22));
const all = [circular, getters, loops, proxy, revoked.proxy, long, Symbol("thrown"), null, undefined, 1n, Object.create(null)];
let turn = 0;

export default {
	fetch() {
		for (const error of all) {
			Promise.reject(error);
			console.error(error);
			reportError(error);
		}
		throw all[turn++ % all.length];
	},
};
