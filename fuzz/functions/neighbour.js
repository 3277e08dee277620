/** Whose requests nobody may disturb: answers with its name and what it was sent. */
export default {
	async fetch(request, { name }) {
		return new Response(`${name} ${await request.text()}`);
	},
};
