// Each request starts all the subrequests that it may, to itself.
export default {
	async fetch(request) {
		const all = Array.from({ length: 50 }, () => fetch(request.url).then((response) => response.text()));
		await Promise.allSettled(all);
		return new Response("survived");
	},
};
