export default {
	fetch: () =>
		new Response(
			new ReadableStream({
				pull(c) {
					c.enqueue(new Uint8Array(65536));
				},
			}),
		),
};
