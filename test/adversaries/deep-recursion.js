export default {
	fetch() {
		Error.stackTraceLimit = 1e6;
		const f = () => {
			try {
				f();
			} catch {
				f();
			}
		};
		f();
		return new Response("x");
	},
};
