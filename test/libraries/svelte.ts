import { render } from "svelte/server";
import App from "./svelte-component.js";

export default {
	fetch: () => {
		const { head, body } = render(App as never, { props: { name: "<Ada>", items: ["a", "b & c"] } as never });
		const empty = render(App as never, { props: { name: "x", items: [] } as never });
		return Response.json([head, body, empty.body]);
	},
};
