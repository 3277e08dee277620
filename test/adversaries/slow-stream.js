export default {
	fetch: () =>
		new Response(
			new ReadableStream({
				async pull(c) {
					await new Promise((r) => setTimeout(r, 20));
					c.enqueue(new Uint8Array(1));
				},
			}),
		),
};
