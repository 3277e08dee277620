const bomb = async () => {
	await Promise.all([bomb(), bomb()]);
};
export default {
	async fetch() {
		await bomb();
		return new Response("x");
	},
};
