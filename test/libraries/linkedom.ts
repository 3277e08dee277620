import { parseHTML } from "linkedom";

export default {
	fetch(): Response {
		const { document, customElements, HTMLElement } = parseHTML(
			"<!doctype html><html><body><div id=a class='x y'><p>one</p></div></body></html>",
		);
		const paragraph = document.createElement("p");
		paragraph.textContent = "<two>";
		document.querySelector("#a")?.append(paragraph);
		document.body.insertAdjacentHTML("beforeend", "<ul><li>1<li>2</ul>");
		customElements.define(
			"my-el",
			class extends HTMLElement {
				connectedCallback() {
					this.innerHTML = "<b>custom</b>";
				}
			},
		);
		document.body.append(document.createElement("my-el"));
		return Response.json([
			document.toString(),
			[...document.querySelectorAll("p")].map((p) => p.textContent),
			document.querySelector("#a")?.classList.contains("y"),
			document.querySelector("li:last-child")?.outerHTML,
		]);
	},
};
