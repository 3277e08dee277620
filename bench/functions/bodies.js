// Gives a body back as it comes; without one, a hundred pieces of a kilobyte.
const piece = new Uint8Array(1024).fill(97);
export default {
	fetch(request) {
		if (request.body !== null) return new Response(request.body);
		let left = 100;
		const pull = (controller) => {
			controller.enqueue(piece.slice());
			if (--left === 0) controller.close();
		};
		return new Response(new ReadableStream({ pull }));
	},
};
