import { createHash } from "node:crypto";

/** The page that shows the API and has it tried: it reads `/openapi.json`, and nothing from elsewhere. */
export const PAGE = `<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>atoll admin API</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; padding: .3rem 0 } summary b { display: inline-block; width: 4.5rem }
textarea, input { font: 13px monospace; width: 100%; box-sizing: border-box; margin: .2rem 0 }
pre { background: #8881; padding: .6rem; overflow: auto; max-height: 24rem }
</style>
<h1>atoll admin API</h1>
<p><a href="/">The dashboard</a> · Described by <a href="/openapi.json">/openapi.json</a>. A token for the calls below:
<input id="token" type="password" placeholder="atoll_…" autocomplete="off"></p>
<div id="calls"></div>
<script type="module">
const element = (name, text) => Object.assign(document.createElement(name), { textContent: text ?? "" });
const { paths } = await (await fetch("/openapi.json")).json();
for (const [path, methods] of Object.entries(paths)) for (const [method, call] of Object.entries(methods)) {
	const details = element("details");
	const summary = element("summary");
	summary.append(element("b", method.toUpperCase()), path, " · ", call.summary);
	const form = element("form");
	const names = [...path.matchAll(/\\{(\\w+)\\}/g)].map(([, name]) => name);
	const inputs = names.map((name) => Object.assign(element("input"), { placeholder: name, required: true }));
	const json = call.requestBody?.content["application/json"];
	const body = json && Object.assign(element("textarea"), { rows: 5, value: JSON.stringify(json.schema, null, 2) });
	const send = element("button", call.requestBody && !json ? "an upload: use the command line" : "send");
	send.disabled = Boolean(call.requestBody && !json);
	const output = element("pre");
	form.append(...inputs, ...(body ? [body] : []), send, output);
	form.onsubmit = async (event) => {
		event.preventDefault();
		let url = "/v1" + path;
		names.forEach((name, i) => { url = url.replace("{" + name + "}", encodeURIComponent(inputs[i].value)); });
		const headers = { authorization: "Bearer " + document.getElementById("token").value };
		if (body) headers["content-type"] = "application/json";
		const response = await fetch(url, { method, headers, body: body?.value });
		output.textContent = response.status + "\\n";
		const decoder = new TextDecoder();
		for await (const part of response.body) output.textContent += decoder.decode(part, { stream: true });
	};
	details.append(summary, form);
	document.getElementById("calls").append(details);
}
</script>
`;

const hashOf = (tag: "script" | "style") => {
	const [, content] = new RegExp(`<${tag}[^>]*>([^]*)</${tag}>`).exec(PAGE) as RegExpExecArray;
	return `'sha256-${createHash("sha256").update(content).digest("base64")}'`;
};

/** What it may do: run its own script, and ask this server. */
export const PAGE_POLICY = `default-src 'none'; script-src ${hashOf("script")}; style-src ${hashOf("style")}; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'`;
