/** Logs as many stacks as it may, all of which would have to be mapped. */
function deep(depth) {
	return depth === 0 ? new Error("flood").stack : deep(depth - 1);
}

export default {
	async fetch() {
		for (let i = 0; i < 200; i++) console.log(deep(20));
		throw new Error(deep(20));
	},
};
