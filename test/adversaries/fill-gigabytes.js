export default {
	fetch() {
		return new Response(String(new Array(1e9).fill(0).length));
	},
};
