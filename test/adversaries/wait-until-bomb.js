export default {
	fetch(request, env, ctx) {
		const bomb = () => {
			ctx.waitUntil(new Promise((r) => setTimeout(r)).then(bomb));
			ctx.waitUntil(new Promise((r) => setTimeout(r)).then(bomb));
		};
		bomb();
		return new Response("x");
	},
};
