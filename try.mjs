import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const base = `http://127.0.0.1:${process.env.ADMIN}`;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const run = async (name, options) => {
	const context = await browser.newContext({ bypassCSP: true, ...options });
	const page = await context.newPage();
	page.on("console", (m) => ["error", "warning"].includes(m.type()) && console.log(name, "console:", m.text()));
	page.on("pageerror", (e) => console.log(name, "pageerror", e.message));
	const check = async (what) => {
		await page.evaluate(axe);
		const { violations } = await page.evaluate(() => window.axe.run());
		for (const v of violations) console.log(name, what, v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 150) + " " + (n.any[0]?.message ?? "").slice(0,120)));
		const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
		if (wide > 0) console.log(name, what, "scrolls sideways by", wide);
		await page.screenshot({ path: `/tmp/dash/shots/${name}-${what}.png` });
	};
	await page.goto(base + "/");
	await check("login");
	await page.fill("#token", "token-of-the-tests");
	await page.click("button.main");
	await page.waitForURL(base + "/");
	await check("functions");
	for (const [what, path] of [["function", "/functions/default/shop"], ["releases", "/functions/default/shop/releases"], ["settings", "/functions/default/shop/settings"], ["live", "/functions/default/shop/live"], ["logs", "/logs?q=function:shop"], ["groups", "/logs?q=" + encodeURIComponent("| count, p99(wallMs) by function, outcome")], ["badquery", "/logs?q=" + encodeURIComponent("nope:1 (")], ["machine", "/machine"], ["audit", "/audit"], ...JSON.parse(process.env.MORE ?? "[]")]) {
		const t = Date.now();
		await page.goto(base + path);
		await page.waitForTimeout(200);
		console.log(name, what, Date.now() - t, "ms", await page.title());
		await check(what);
	}
	await page.goto(base + "/logs?q=outcome:exception");
	await page.click(".entries a");
	await check("invocation");
	await page.goto(base + "/logs?q=hostile");
	await page.click(".entries a");
	await check("hostile");
	console.log("hacked:", await page.evaluate(() => window.hacked));
	await context.close();
};
await run("light", { viewport: { width: 1280, height: 900 }, colorScheme: "light" });
if (process.env.ALL) { await run("dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" });
await run("small", { viewport: { width: 375, height: 800 }, colorScheme: "light" }); }
await browser.close();
