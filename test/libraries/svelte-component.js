// Compiled by svelte/compiler, { generate: "server" }, from a component with props, a condition, a loop and a head.
import * as $ from "svelte/internal/server";

export default function App($$renderer, $$props) {
	$$renderer.component(($$renderer) => {
		const { name, items } = $$props;
		const n = $.derived(() => items.length);

		$.head("n50uah", $$renderer, ($$renderer) => {
			$$renderer.title(($$renderer) => {
				$$renderer.push(`<title>${$.escape(name)}</title>`);
			});
		});

		$$renderer.push(`<h1${$.attr_class("", void 0, { big: n() > 1 })}>Hello ${$.escape(name)}!</h1> `);

		if (n()) {
			$$renderer.push(`<!--[0--><ul><!--[-->`);

			const each_array = $.ensure_array_like(items);

			for (let i = 0, $$length = each_array.length; i < $$length; i++) {
				const item = each_array[i];

				$$renderer.push(`<li>${$.escape(i)}: ${$.escape(item)}</li>`);
			}

			$$renderer.push(`<!--]--></ul>`);
		} else {
			$$renderer.push(`<!--[-1-->none`);
		}

		$$renderer.push(`<!--]--> ${$.html("<b>raw</b>")}`);
	});
}
