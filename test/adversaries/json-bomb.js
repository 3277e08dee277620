export default {
	fetch() {
		return new Response(String(JSON.parse("[" + "[],".repeat(30e6) + "[]]").length));
	},
};
