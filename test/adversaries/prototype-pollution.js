for (const name of Object.getOwnPropertyNames(Array.prototype))
	if (typeof Array.prototype[name] === "function" && name !== "constructor")
		Array.prototype[name] = () => {
			throw new Error("polluted " + name);
		};
Promise.prototype.then = () => {
	throw new Error("polluted then");
};
JSON.stringify = () => "not json";
JSON.parse = () => ({});
Object.prototype.get = () => 666;
Map.prototype.get = () => 666;
Object.prototype.status = 999;
export default { fetch: () => new Response("x") };
