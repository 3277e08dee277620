export default {
	fetch() {
		return new Response(String("ab".repeat(2 ** 27).split("a").length));
	},
};
