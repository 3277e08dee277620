import Handlebars from "handlebars";

Handlebars.registerHelper("loud", (text: string) => text.toUpperCase());
Handlebars.registerPartial("row", "<li>{{loud name}}{{#unless @last}},{{/unless}}</li>");
const template = Handlebars.compile(
	"<ul title='{{title}}'>{{#each items}}{{> row}}{{else}}none{{/each}}</ul>{{{raw}}}{{#if ok}}yes{{/if}}{{#with deep}}{{../title}}{{a.b}}{{/with}}",
);

export default {
	fetch: () =>
		Response.json([
			template({ title: "<t>", items: [{ name: "a" }, { name: "b" }], raw: "<b>", ok: 1, deep: { a: { b: 5 } } }),
			template({ items: [] }),
		]),
};
