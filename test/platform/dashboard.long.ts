import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Page } from "playwright-core";
import { noBrowser, startBrowser } from "../support/browser.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

/** Where pictures for the docs go; none are made where it is not given. */
const { ATOLL_TEST_SCREENSHOTS: pictures } = process.env;

const GOOD = `export default { fetch(request: Request) {
	console.log("order", new URL(request.url).pathname);
	return new Response("total 84");
} };`;
const BROKEN = `interface Order { id: number; price?: { amount: number } }
function totalOf(order: Order): number {
	return order.price!.amount * 2;
}
export default { fetch(request: Request) {
	const { pathname } = new URL(request.url);
	console.log("order", pathname);
	return new Response(\`total \${totalOf({ id: 7 })}\`);
} };`;
const HOSTILE = `export default { fetch(request) {
	console.log('<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>');
	console.warn("javascript:window.hacked=1 \\u202Egnp.exe \\u001b[31mred\\u0007");
	console.log("long ".repeat(200000));
	return new Response("ok");
} };`;

if (noBrowser !== false) test("the dashboard in a browser", { skip: noBrowser }, () => undefined);
else {
	const platform = await startPlatform();
	const base = `http://127.0.0.1:${platform.adminPort}`;
	const browser = await startBrowser();
	after(() => browser.close());

	const deploy = async (name: string, file: string, code: string, ...args: string[]) => {
		const folder = await platform.line.write(name, { [file]: code });
		const { code: exit, output } = await platform.atoll("deploy", folder, "--name", name, ...args);
		assert.equal(exit, 0, output);
	};
	await deploy("shop", "index.ts", GOOD);
	await deploy("hello", "index.js", "export default { fetch: () => new Response('hello') };", "--tenant", "acme");
	await deploy("hostile", "index.js", HOSTILE);
	for (let i = 0; i < 20; i++) {
		assert.equal((await platform.get("shop.localhost", `/orders/${i}`)).status, 200);
		await platform.get("hello.acme.localhost");
	}
	await deploy("shop", "index.ts", BROKEN);
	for (let i = 20; i < 26; i++) assert.equal((await platform.get("shop.localhost", `/orders/${i}?<b>`)).status, 500);
	await platform.get("hostile.localhost", "/?q=<script>window.hacked=1</script>");
	const logged = async (query: string) => {
		const { body } = await platform.api("GET", `/v1/logs?query=${encodeURIComponent(query)}`);
		return (body as { entries: { record: { requestId: string } }[] }).entries;
	};
	await until(
		async () => (await logged("outcome:exception")).length === 6 && (await logged("function:hostile")).length === 1,
	);
	await until(async () => {
		const { body } = await platform.api("GET", "/v1/tenants/default/functions/shop/rollups?since=1h&by=total");
		return JSON.stringify(body).includes('"exception":6');
	});

	const errors: string[] = [];
	const open = async (options = {}): Promise<Page> => {
		const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, ...options });
		const page = await context.newPage();
		page.on("pageerror", ({ message }) => errors.push(message));
		page.on("console", (one) => one.type() === "error" && errors.push(one.text()));
		await page.goto(base);
		await page.getByLabel("Token").fill(TOKEN);
		await page.getByRole("button", { name: "Log in" }).click();
		await page.getByRole("heading", { name: "Functions" }).waitFor();
		return page;
	};
	const picture = async (page: Page, name: string) => {
		if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) });
	};

	test("whoever is on call finds the failing request, its line of source, and rolls back", async () => {
		const page = await open();
		const row = page.getByRole("row").filter({ hasText: "shop" });
		await row.getByText("23.1 %").waitFor();
		await picture(page, "dashboard-functions");
		await row.getByRole("rowheader").getByRole("link").click();
		await page.getByRole("heading", { name: "Latest that failed" }).waitFor();
		await page.locator(".u-over").first().waitFor();
		// Its charts are tables of the same numbers.
		await page.getByText("As a table: Errors by outcome").click();
		await page
			.getByRole("region", { name: "Errors by outcome" })
			.getByRole("columnheader", { name: "exception" })
			.waitFor();
		await page.getByText("As a table: Errors by outcome").click();
		await picture(page, "dashboard-function");
		await page.getByRole("list", { name: "Latest that failed" }).getByRole("link").first().click();
		await page.getByText("Cannot read properties of undefined (reading 'amount')").waitFor();
		assert.match(await page.locator(".line.error").innerText(), /at totalOf \(.*index\.ts:3:\d+\)/);
		await page.getByText("order /orders/25", { exact: true }).waitFor();
		await picture(page, "dashboard-invocation");

		await page.getByRole("link", { name: "default/shop" }).click();
		await page.getByRole("link", { name: "Roll back or shift traffic" }).click();
		await page.getByRole("button", { name: "Roll back …" }).click();
		await page.getByRole("dialog", { name: "Roll back" }).getByRole("button", { name: "Roll back" }).click();
		await page.getByRole("row").filter({ hasText: "rolled back in the dashboard" }).getByText("now").waitFor();
		await picture(page, "dashboard-releases");
		assert.equal((await platform.get("shop.localhost", "/orders/30")).text, "total 84");

		// Half of it again, by the slider.
		await page.getByLabel("Share of the other one").fill("50");
		assert.equal(await page.locator("#share").innerText(), "50");
		await page.getByRole("button", { name: "Release" }).click();
		await page
			.getByRole("row")
			.filter({ hasText: "traffic shifted in the dashboard" })
			.getByText(/50 %, .* 50 %/)
			.waitFor();
		await page.getByRole("button", { name: "Give all traffic to version 1 …" }).click();
		await page.getByRole("dialog").getByRole("button", { name: "Give all traffic to version 1" }).click();
		await page
			.getByRole("row")
			.filter({ hasText: "now" })
			.getByText(/^1 \(\w+\) 100 %$/)
			.waitFor();
		assert.deepEqual(errors.splice(0), []);
		await page.context().close();
	});

	test("a function is watched as it works", async () => {
		const page = await open();
		await page.goto(`${base}/functions/default/shop/live`);
		await page.getByText("live", { exact: true }).waitFor();
		const seen = page.getByText("order /watched");
		await until(async () => {
			await platform.get("shop.localhost", "/watched");
			return (await seen.count()) > 0;
		});
		await picture(page, "dashboard-live");
		await page.getByLabel("Only with").fill("nothing has this");
		assert.equal(await seen.first().isVisible(), false);
		assert.deepEqual(errors.splice(0), []);
		await page.context().close();
	});

	test("what functions log and are asked for is text, however long and wherever it is shown", async () => {
		const page = await open();
		await page.goto(`${base}/functions/default/hostile/live`);
		await page.getByText("live", { exact: true }).waitFor();
		await until(async () => {
			await platform.get("hostile.localhost", "/?q=<script>window.hacked=1</script>");
			return (await page.locator("#tail li").count()) > 0;
		});
		await page.getByText("\\u{202e}gnp.exe \\u{001b}[31mred").first().waitFor();
		await page.goto(`${base}/logs?q=${encodeURIComponent('function:hostile "javascript:"')}`);
		await page.getByText('<img src=x onerror="window.hacked = 1">').first().waitFor();
		await page.getByRole("list", { name: "Entries, the latest first" }).getByRole("link").first().click();
		await page.getByText("\\u{202e}gnp.exe \\u{001b}[31mred").first().waitFor();
		await page
			.getByText(/more characters/)
			.first()
			.click();
		assert.equal(await page.evaluate(() => (globalThis as { hacked?: number }).hacked), undefined);
		assert.equal(await page.locator("main img, main script, main a[href^=javascript]").count(), 0);
		// A query comes back as it was written, and one without sense says where.
		await page.goto(`${base}/logs?q=${encodeURIComponent('"><script>window.hacked=1</script>')}`);
		assert.equal(await page.getByLabel("Query").inputValue(), '"><script>window.hacked=1</script>');
		assert.equal(await page.evaluate(() => (globalThis as { hacked?: number }).hacked), undefined);
		errors.splice(0); // Of the page that was answered with 400.
		await page.context().close();
	});

	test("a slash leads to the search, and a query that groups is a table", async () => {
		const page = await open();
		await page.goto(`${base}/logs`);
		await page.keyboard.press("/");
		await page.keyboard.type("| count, p99(wallMs) by function");
		await page.keyboard.press("Enter");
		await page.getByRole("columnheader", { name: "p99(wallMs)" }).waitFor();
		await page.getByRole("cell", { name: "shop", exact: true }).waitFor();
		await page.goto(`${base}/logs?q=function:shop`);
		await picture(page, "dashboard-logs");
		// The API's page runs its own script, under its own policy.
		await page.goto(`${base}/api`);
		await page.getByText("/v1/whoami").or(page.getByText("/whoami")).first().waitFor();
		await page.goto(`${base}/logs?q=function:shop`);
		await page.keyboard.press("Tab");
		assert.equal(await page.locator(":focus").innerText(), "Skip to the content");
		assert.deepEqual(errors.splice(0), []);
		await page.context().close();
	});
}
