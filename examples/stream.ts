// A response that is sent as it comes into being: watch it with `curl -N`.
const encoder = new TextEncoder();

export default {
	fetch(request: Request): Response {
		const lines = Number(new URL(request.url).searchParams.get("lines") ?? 10);
		let line = 0;
		const body = new ReadableStream({
			async pull(controller) {
				if (line === lines) return controller.close();
				if (line > 0) await new Promise((resolve) => setTimeout(resolve, 100));
				controller.enqueue(encoder.encode(`line ${++line} of ${lines}\n`));
			},
			cancel() {
				console.log(`the client left after line ${line}`);
			},
		});
		return new Response(body, { headers: { "content-type": "text/plain; charset=utf-8" } });
	},
};
