// Replaces what a careless prelude would call, then uses the platform's APIs.
let seen = 0;
const spy = (object, name) => {
	const original = object[name];
	object[name] = function (...args) {
		seen++;
		return Reflect.apply(original, this, args);
	};
};
for (const [prototype, names] of [
	[Array.prototype, ["push", "map", "slice", "shift", "splice", "forEach", "join"]],
	[Promise.prototype, ["then", "catch", "finally"]],
	[Map.prototype, ["get", "set", "delete"]],
	[String.prototype, ["split", "replace", "slice"]],
	[Uint8Array.prototype.__proto__, ["set", "slice", "subarray"]],
])
	for (const name of names) spy(prototype, name);
Object.prototype.source = Object.prototype.answer = Object.prototype.chunk = Object.prototype.end = "polluted";

export default {
	async fetch(request) {
		const headers = new Headers([["a", "1"]]);
		headers.append("b", request.headers.get("host"));
		const text = await new Response(new URLSearchParams({ a: "b" })).text();
		return new Response(`${text} ${headers.get("a")} ${seen > 0}`, { headers });
	},
};
