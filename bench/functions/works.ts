import { work } from "./work.ts";

/** Tells the isolates, or threads, apart that answer. */
const id = crypto.randomUUID();

/** Computes for as many rounds as its query says, and tells where. */
export default {
	fetch(request: Request): Response {
		work(Number(new URL(request.url).search.slice(1)));
		return new Response(id);
	},
};
