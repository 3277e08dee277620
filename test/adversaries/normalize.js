export default {
	fetch() {
		return new Response(String("\u0344".repeat(2 ** 26).normalize("NFD").length));
	},
};
