export default {
	fetch() {
		return new Response(
			String(
				Array.from({ length: 5e6 }, Math.random).sort((a, b) => {
					let x = 0;
					for (let i = 0; i < 1000; i++) x += i;
					return a - b + x * 0;
				}).length,
			),
		);
	},
};
