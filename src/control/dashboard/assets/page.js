/** What all pages do beside links and forms. */
const search = () => document.querySelector("[data-search]");

document.addEventListener("keydown", (event) => {
	const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
	if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
	const field = search();
	if (field === null) return;
	event.preventDefault();
	field.focus();
	field.select();
});

for (const select of document.querySelectorAll("[data-submits]"))
	select.addEventListener("change", () => select.form.requestSubmit());

for (const input of document.querySelectorAll("[data-output]"))
	input.addEventListener("input", () => {
		document.getElementById(input.dataset.output).textContent = input.value;
	});

// A form that was sent is not sent again by a second click.
for (const form of document.querySelectorAll("form[method=post]"))
	form.addEventListener("submit", () => {
		for (const button of form.querySelectorAll("button")) setTimeout(() => (button.disabled = true));
	});

/** Parts that are as of now are loaded again, unless somebody is in them or looks elsewhere. */
for (const part of document.querySelectorAll("[data-refresh]")) refresh(part, Number(part.dataset.refresh) * 1000);

function refresh(part, every) {
	const again = () => setTimeout(load, every);
	const isBusy = () =>
		document.hidden ||
		part.contains(document.activeElement) ||
		part.querySelector(":popover-open, details[open]") !== null;
	async function load() {
		if (isBusy()) return again();
		try {
			const response = await fetch(location.href, { headers: { accept: "text/html" } });
			if (response.redirected && new URL(response.url).pathname === "/login") return location.reload();
			const page = new DOMParser().parseFromString(await response.text(), "text/html");
			const fresh = page.querySelector("[data-refresh]");
			if (response.ok && fresh !== null && !isBusy()) {
				const scrolled = [...part.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
				part.replaceChildren(...fresh.childNodes);
				for (const [i, one] of part.querySelectorAll(".scroll").entries()) one.scrollLeft = scrolled[i] ?? 0;
			}
			again();
		} catch {
			again(); // The server is not there for a moment, or the network.
		}
	}
	again();
}
