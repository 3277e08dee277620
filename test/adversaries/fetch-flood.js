// Starts subrequests for as long as it may run, and waits for none of them.
export default {
	async fetch(request) {
		for (;;) fetch(`${request.url}?${"x".repeat(1000)}`).catch(() => {});
	},
};
