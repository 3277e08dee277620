export default {
	fetch() {
		return new Response(Array.prototype.join.call({ length: 2 ** 32 }, ""));
	},
};
