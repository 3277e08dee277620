import assert from "node:assert/strict";
import { test } from "node:test";
import { inBothIsolations, TestRuntime } from "../support/runtime.ts";

/** Each case: a document, a rewriter as code, and what comes out. */
const CASES: [what: string, document: string, rewriter: string, expected: string][] = [
	[
		"attributes",
		`<a href="/x?a=1&amp;b" class='k'>t</a>`,
		`.on("a[href]", { element(e) { e.setAttribute("href", e.getAttribute("href") + "&c"); e.removeAttribute("class"); e.setAttribute("new", '"') } })`,
		`<a href="/x?a=1&amp;b&c" new="&quot;">t</a>`,
	],
	[
		"what no handler asks for, as it came",
		`<!DOCTYPE html><P Class=x >a<br/>b<!-- c --></P >`,
		`.on("i", { element(e) { e.remove() } })`,
		`<!DOCTYPE html><P Class=x >a<br/>b<!-- c --></P>`,
	],
	[
		"content around and inside",
		`<p>x</p>`,
		`.on("p", { element(e) { e.before("<", {}).after("<i>", { html: true }).prepend("1").append("2") } })`,
		`&lt;<p>1x2</p><i>`,
	],
	[
		"inner content, replaced",
		`<p>old <b>bold</b></p><q>z</q>`,
		`.on("p", { element(e) { e.setInnerContent("<new>") } }).on("q", { element(e) { e.setInnerContent("<u></u>", { html: true }) } })`,
		`<p>&lt;new&gt;</p><q><u></u></q>`,
	],
	[
		"elements removed, with and without their content",
		`<div><p>a</p><b>c</b></div><i>d</i>`,
		`.on("p", { element(e) { e.remove() } }).on("b", { element(e) { e.removeAndKeepContent() } }).on("i", { element(e) { e.replace("R") } })`,
		`<div>c</div>R`,
	],
	[
		"selectors",
		`<ul><li class="a b">1</li><li id=k>2</li><li data-x="abc">3</li></ul><ol><li>4</li></ol>`,
		`.on("ul > li.a, ul li#k, [data-x^=ab], ol li:first-child:not(.q), li:nth-child(3)", { element(e) { e.setAttribute("hit", "1") } })`,
		`<ul><li class="a b" hit="1">1</li><li id=k hit="1">2</li><li data-x="abc" hit="1">3</li></ul><ol><li hit="1">4</li></ol>`,
	],
	[
		"text, in its pieces",
		`<p>one <b>two</b> three</p>`,
		`.on("p", { text(t) { if (t.lastInTextNode) t.before("|"); else t.replace(t.text.toUpperCase()) } })`,
		`<p>ONE |<b>TWO|</b> THREE|</p>`,
	],
	[
		"comments and the doctype",
		`<!doctype html><!-- a --><p><!--b--></p>`,
		`.onDocument({ comments(c) { c.text = c.text.trim() + "!" }, doctype(d) { globalThis.type = d.name } }).on("p", { comments(c) { c.after("<hr>", { html: true }) } })`,
		`<!doctype html><!--a!--><p><!--b!--><hr></p>`,
	],
	[
		"the end of the document",
		`<p>x`,
		`.onDocument({ end(e) { e.append("<!-- end -->", { html: true }) } })`,
		`<p>x<!-- end -->`,
	],
	[
		"end tags and names",
		`<h1>t</h1>`,
		`.on("h1", { element(e) { e.tagName = "h2"; e.onEndTag((end) => { end.name = "h2"; end.before("!") }) } })`,
		`<h2>t!</h2>`,
	],
	[
		"void elements",
		`<img src=a><br>`,
		`.on("img", { element(e) { e.after("x"); e.setAttribute("alt", "") } })`,
		`<img src=a alt="">x<br>`,
	],
	[
		"scripts, whose content is text",
		`<script>if (a < b) "</p>"</script>`,
		`.on("script", { element(e) { e.setAttribute("nonce", "n") } }).on("p", { element(e) { e.remove() } })`,
		`<script nonce="n">if (a < b) "</p>"</script>`,
	],
	[
		"handlers that wait",
		`<p></p>`,
		`.on("p", { async element(e) { await new Promise((r) => setTimeout(r, 1)); e.append("late") } })`,
		`<p>late</p>`,
	],
	[
		"attributes that are not touched, as they came",
		`<input disabled Value='a"b' data-x=1  checked>`,
		`.on("input", { element(e) { e.removeAttribute("checked"); e.removeAttribute("none"); e.setAttribute("ID", "x"); e.after([...e.attributes].map((pair) => pair.join(":")).join()) } })`,
		`<input disabled Value='a"b' data-x=1 id="x">disabled:,value:a"b,data-x:1,id:x`,
	],
	[
		"a slash in a start tag, which HTML ignores and SVG does not",
		`<div/>in</div><svg><path/><g>x</g></svg><p>y</p>`,
		`.on("div", { element(e) { e.append("!") } }).on("path", { element(e) { e.after(e.namespaceURI.slice(-3)); try { e.onEndTag(() => {}) } catch (error) { e.after(error.name) } } }).on("p", { element(e) { e.append(e.namespaceURI.slice(-5)) } })`,
		`<div/>in!</div><svg><path/>TypeErrorsvg<g>x</g></svg><p>yxhtml</p>`,
	],
	[
		"content that is a stream or a response",
		`<p>a</p><q>b</q><i>c</i>`,
		`.on("p", { element(e) { e.prepend(new Response("<b>1</b>"), { html: true }); e.append(new Blob(["<2>"]).stream()) } }).on("q", { element(e) { e.replace(new Response("é"), { html: true }) } }).on("i", { element(e) { e.before(new Response(null)); e.setInnerContent(ReadableStream.from([new Uint8Array([0xc3]), new Uint8Array([0xa9])])) } })`,
		`<p><b>1</b>a&lt;2&gt;</p>é<i>é</i>`,
	],
	[
		"handlers of all kinds that wait, in their order",
		`<!doctype html><!-- c --><p>t</p>`,
		`.onDocument({ async doctype(d) { await scheduler.wait(1); globalThis.seen = d.name }, async comments(c) { await scheduler.wait(1); c.text = globalThis.seen }, async end(e) { await scheduler.wait(1); e.append("<end>").append("<hr>", { html: true }) } }).on("p", { async element(e) { e.onEndTag(async (end) => { await scheduler.wait(1); end.before("1").after("3") }); e.onEndTag((end) => { end.before("2") }) }, async text(t) { await scheduler.wait(1); if (!t.lastInTextNode) t.replace("T") } })`,
		`<!doctype html><!--html--><p>T12</p>3&lt;end&gt;<hr>`,
	],
	[
		"tokens and their ends, removed",
		`<p>a<!--b--></p><h1>c</h1>`,
		`.on("p", { text(t) { t.remove() }, comments(c) { c.before("["); c.remove(); c.after(String(c.removed)) } }).on("h1", { element(e) { e.onEndTag((end) => { end.remove() }) } })`,
		`<p>[true</p><h1>c`,
	],
	[
		"names and attributes that are none are refused",
		`<p></p>`,
		`.on("p", { element(e) { const refused = (run) => { try { run(); return "taken" } catch (error) { return error.name } }; e.append([() => { e.tagName = "" }, () => { e.tagName = "1" }, () => { e.tagName = "a b" }, () => e.setAttribute("", "x"), () => e.setAttribute("a b", "x")].map(refused).join()) } })`,
		`<p>TypeError,TypeError,TypeError,TypeError,TypeError</p>`,
	],
	[
		"more selectors",
		`<a href="/X" lang="en-US" rel="one two">1</a><p title="q1">2</p><p>3</p><b>4</b><p>5</p>`,
		`.on('a[href="/x" i][lang|=en][rel~=two][href$=X][href*=X]', { element(e) { e.append("a") } }).on("p:nth-of-type(2n+1)", { element(e) { e.append("odd") } }).on("p:first-of-type", { element(e) { e.append("first") } }).on("*", { element(e) { e.tagName === "b" && e.append("any") } }).on("p:not([title]):not(b)", { element(e) { e.append("untitled") } })`,
		`<a href="/X" lang="en-US" rel="one two">1a</a><p title="q1">2oddfirst</p><p>3untitled</p><b>4any</b><p>5odduntitled</p>`,
	],
	["entities in text, as they are", `<p>&amp;&lt;&nbsp;x</p>`, `.on("p", { element() {} })`, `<p>&amp;&lt;&nbsp;x</p>`],
];

inBothIsolations("HTMLRewriter", (isolation) => {
	const atoll = new TestRuntime({ isolation });

	test("rewrites, whole and in pieces of any size", async () => {
		const source = CASES.map(([, , rewriter]) => `() => new HTMLRewriter()${rewriter}`).join(",\n");
		await atoll.deploy(
			"rewriter",
			`const makers = [${source}];
			export default { async fetch(request) {
				const { index, document, size } = await request.json();
				const bytes = new TextEncoder().encode(document);
				let at = 0;
				const body = new ReadableStream({ pull(c) { if (at >= bytes.length) return c.close(); c.enqueue(bytes.slice(at, at + size)); at += size; } });
				return makers[index]().transform(new Response(body, { headers: { "content-type": "text/html", "content-length": "5" } }));
			} };`,
		);
		for (const [index, [what, document, , expected]] of CASES.entries()) {
			for (const size of [10_000, 7, 1]) {
				const body = JSON.stringify({ index, document, size });
				const response = await atoll.fetch("rewriter", "/", { method: "POST", body });
				const text = await response.text();
				// Text handlers see what has arrived, so that "|" may stand in other places when it comes in pieces.
				if (size < 100 && what.startsWith("text"))
					assert.equal(text.replaceAll("|", ""), expected.replaceAll("|", ""), what);
				else assert.equal(text, expected, `${what}, ${size} bytes at a time`);
				assert.equal(response.headers.get("content-type"), "text/html");
			}
		}
	});

	test("a selector that is malformed or cannot be told from a stream is refused where it is given", async () => {
		await atoll.deploy(
			"selectors",
			`export default { fetch: () => Response.json(["p[", "a + b", "p:last-child", "::before", ""].map((s) => { try { new HTMLRewriter().on(s, {}); return "taken"; } catch (e) { return "refused"; } })) };`,
		);
		assert.deepEqual(JSON.parse(await atoll.text("selectors")), Array(5).fill("refused"));
	});

	test("what a handler was given can be used by nobody else", async () => {
		await atoll.deploy(
			"keeps",
			`export default { async fetch() {
				const kept = [];
				const keep = (token) => { kept.push(token); };
				const rewriter = new HTMLRewriter().on("p", { element(e) { keep(e); e.onEndTag(keep); }, text: keep, comments: keep }).onDocument({ end: keep });
				await rewriter.transform(new Response("<p>x<!--y--></p>")).text();
				return Response.json(kept.map((token) => { try { return (token.before ?? token.append).call(token, "late") && "taken"; } catch (error) { return error.name; } }));
			} };`,
		);
		assert.deepEqual(JSON.parse(await atoll.text("keeps")), Array(6).fill("TypeError"));
	});

	test("a handler that throws breaks the response off", async () => {
		await atoll.deploy(
			"throws",
			`export default { fetch: () => new HTMLRewriter().on("p", { element() { throw new RangeError("in a handler"); } }).transform(new Response("<p>x</p>")) };`,
		);
		await assert.rejects(async () => (await atoll.fetch("throws")).text());
		await atoll.log("in a handler");
	});
});
