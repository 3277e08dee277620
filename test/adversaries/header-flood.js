export default {
	fetch() {
		const headers = new Headers();
		for (let i = 0; i < 20_000; i++) headers.append("x-" + i, "y".repeat(200));
		return new Response("x", { headers });
	},
};
