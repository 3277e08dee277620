import { computed, createSSRApp, defineComponent, h, ref, resolveComponent } from "vue";
import { renderToString, renderToWebStream } from "vue/server-renderer";

const Item = defineComponent({
	props: { text: { type: String, required: true } },
	setup:
		(props, { slots }) =>
		() =>
			h("li", { class: ["item", { long: props.text.length > 3 }] }, [props.text, slots.default?.()]),
});
const make = () =>
	createSSRApp({
		components: { Item },
		async setup() {
			const items = ref(["a", "<b>", "long one"]);
			const count = computed(() => items.value.length);
			await Promise.resolve();
			return () =>
				h("div", { style: { color: "red" }, "data-count": count.value }, [
					items.value.map((text) => h(resolveComponent("Item"), { text, key: text }, () => h("b", "slot"))),
					h("input", { value: '"x"', disabled: true }),
				]);
		},
	});

export default {
	async fetch(): Promise<Response> {
		const streamed = await new Response(renderToWebStream(make()) as unknown as BodyInit).text();
		return Response.json([await renderToString(make()), streamed]);
	},
};
