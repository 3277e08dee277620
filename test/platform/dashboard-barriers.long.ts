import assert from "node:assert/strict";
import { after, test } from "node:test";
import { barriers, noBrowser, startBrowser } from "../support/browser.ts";
import { startPlatform, TOKEN } from "../support/platform.ts";
import { until } from "../support/until.ts";

const CODE = `export default { fetch(request, env) {
	console.log("asked for", request.url);
	throw new Error("it fails");
} };`;

if (noBrowser !== false) test("the dashboard's pages in a browser", { skip: noBrowser }, () => undefined);
else {
	const platform = await startPlatform();
	const base = `http://127.0.0.1:${platform.adminPort}`;
	const browser = await startBrowser();
	after(() => browser.close());
	await platform.deploy("shop", CODE);
	await platform.deploy("shop", `${CODE} // again`);
	for (let i = 0; i < 5; i++) await platform.get("shop.localhost", `/${i}`);
	const logged = async () => {
		const { body } = await platform.api("GET", "/v1/logs?query=outcome:exception");
		return (body as { entries: { record: { requestId: string } }[] }).entries;
	};
	await until(async () => (await logged()).length === 5);

	test("nothing keeps people out of a page: in light, in dark, and 375 pixels wide", async () => {
		const [{ record }] = await logged();
		const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
		await page.goto(base);
		await page.getByLabel("Token").fill(TOKEN);
		await page.getByRole("button", { name: "Log in" }).click();
		await page.getByRole("heading", { name: "Functions" }).waitFor();
		const found: Record<string, string[]> = {};
		const look = async (path: string) => {
			for (const colorScheme of ["light", "dark"] as const) {
				await page.emulateMedia({ colorScheme });
				found[`${path} ${colorScheme}`] = await barriers(page);
			}
			await page.setViewportSize({ width: 375, height: 800 });
			found[`${path} narrow`] = await barriers(page);
			await page.setViewportSize({ width: 1280, height: 720 });
		};
		for (const path of [
			...["/", "/functions/default/shop", "/functions/default/shop/releases", "/functions/default/shop/settings"],
			...["/functions/default/shop/live", "/logs", `/logs/${record.requestId}`, "/machine", "/audit"],
			...["/usage", "/usage?tenant=default", "/alerts"],
			...[`/logs?q=${encodeURIComponent("| count by outcome, 1m")}`, "/functions/default/none"],
		]) {
			await page.goto(base + path);
			await look(path);
		}
		await page.getByRole("button", { name: "Log out" }).click();
		await page.getByRole("heading", { name: "Log in" }).waitFor();
		await look("/login");
		assert.deepEqual(Object.fromEntries(Object.entries(found).filter(([, all]) => all.length > 0)), {});
	});
}
