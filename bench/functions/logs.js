export default {
	fetch(request) {
		console.log("asked for", new URL(request.url).pathname);
		return new Response("Hello, world!\n");
	},
};
