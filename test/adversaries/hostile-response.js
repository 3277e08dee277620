export default {
	fetch() {
		return new Proxy(new Response("x"), {
			get() {
				for (;;) {}
			},
			getPrototypeOf() {
				throw 1;
			},
		});
	},
};
