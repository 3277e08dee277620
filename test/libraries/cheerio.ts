import { load } from "cheerio";

export default {
	fetch(): Response {
		const $ = load(
			`<ul id="l"><li class="a">One</li><li>Two <b>bold</b></li></ul><a href="/x?a=1&amp;b=2">link</a><p>un<br>closed`,
		);
		$("li.a").addClass("seen").attr("data-x", '"q"').after("<li>new</li>");
		$("b").replaceWith((_, element) => `<i>${$(element).text()}</i>`);
		return Response.json([
			$("li")
				.map((_, element) => $(element).text())
				.get(),
			$("a").attr("href"),
			$("#l > li:nth-child(2)").text(),
			$.html(),
			$("body").text(),
		]);
	},
};
