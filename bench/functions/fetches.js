/** Reads what the server named by its query sends, six times at once. */
export default {
	async fetch(request) {
		const url = new URL(request.url).search.slice(1);
		let bytes = 0;
		const read = async () => {
			const { body } = await fetch(url);
			for await (const piece of body) bytes += piece.length;
		};
		await Promise.allSettled(Array.from({ length: 6 }, read));
		return new Response(String(bytes));
	},
};
