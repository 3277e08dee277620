export default {
	fetch() {
		for (let i = 0; i < 1e5; i++) Promise.reject(new Error("flood " + i));
		return new Response("x");
	},
};
