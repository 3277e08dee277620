export default {
	fetch() {
		return new Response(String(new Array(2 ** 32 - 1).sort()));
	},
};
