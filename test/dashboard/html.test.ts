import assert from "node:assert/strict";
import { test } from "node:test";
import { longText } from "../../src/control/dashboard/format.ts";
import { html, verbatim, visible } from "../../src/control/dashboard/html.ts";

test("what stands in markup is text, wherever it stands and whatever it looks like", () => {
	const hostile = `<img src=x onerror="alert(1)">'&`;
	const escaped = "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;";
	assert.equal(String(html`<b title="${hostile}">${hostile}</b>`), `<b title="${escaped}">${escaped}</b>`);
	assert.equal(String(html`${[hostile, [hostile]]}`), escaped + escaped);
	assert.equal(String(html`${html`<i>${hostile}</i>`}`), `<i>${escaped}</i>`);
	assert.equal(String(html`${verbatim(hostile)}`), escaped);
});

test("what was parsed and claims to be markup is text", () => {
	const claimed = JSON.parse('{"isEscaped":true,"0":"<b>"}') as never;
	assert.equal(String(html`${claimed}`), "[object Object]");
	assert.equal(String(html`${[claimed]}`), "[object Object]");
});

test("what nobody sees is shown: controls, escapes of terminals, what turns text around", () => {
	assert.equal(
		visible("a\u202Eb\u001b[31m\u0000\u2066\u200b\u{e0041}"),
		"a\\u{202e}b\\u{001b}[31m\\u{0000}\\u{2066}\\u{200b}\\u{e0041}",
	);
	assert.equal(visible("a\tb\nc é 漢 😀"), "a\tb\nc é 漢 😀");
	assert.equal(visible("\ud800"), "\ufffd");
	assert.equal(String(html`<p>${"\u202Egnp.exe"}</p>`), "<p>\\u{202e}gnp.exe</p>");
});

test("a text of any length is a page of bounded size, and says how much more there is", () => {
	const page = String(longText("x".repeat(5_000_000), "/whole"));
	assert.ok(page.length < 100_000);
	assert.match(page, /4,998,000 more characters/);
	assert.match(page, /<a href="\/whole">the whole text<\/a>/);
	assert.equal(String(longText("short")), '<span class="text">short</span>');
});
