export default {
	fetch() {
		return new Response(String(Array.prototype.reverse.call({ length: 2 ** 53 - 1 })));
	},
};
