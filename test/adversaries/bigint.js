export default {
	fetch() {
		const big = 1n << 30_000_000n;
		return new Response(String((big * big) % 7n));
	},
};
