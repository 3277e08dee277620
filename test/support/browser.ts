import { existsSync, readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";

/** Where systems have their Chromium: none is downloaded. */
const PLACES = [
	process.env.ATOLL_TEST_CHROMIUM,
	"/usr/bin/chromium",
	"/usr/bin/chromium-browser",
	"/usr/bin/google-chrome",
];
const CHROMIUM = PLACES.find((path) => path !== undefined && existsSync(path));

/** Why there is no test in a browser; `false` where there is one. */
export const noBrowser: string | false = CHROMIUM === undefined && "there is no Chromium: apt-get install chromium";

/** Starts it; it sees this machine alone. */
export async function startBrowser(): Promise<Browser> {
	const { chromium } = await import("playwright-core");
	// Root has no sandbox of Chromium's; nothing but this machine's own pages is opened.
	const args = [
		"--no-sandbox",
		"--disable-background-networking",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
	];
	return chromium.launch({ executablePath: CHROMIUM as string, args });
}

const axe = readFileSync(new URL("axe.min.js", import.meta.resolve("axe-core")), "utf8");

/** What keeps people out of a page, as axe has it, and whether the page itself scrolls sideways. */
export async function barriers(page: Page): Promise<string[]> {
	// Past the page's policy, which lets no script in that is not its own.
	await page.evaluate(axe);
	return page.evaluate(async () => {
		const {
			axe: looking,
			document,
			innerWidth,
		} = globalThis as never as {
			axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
			document: { documentElement: { scrollWidth: number } };
			innerWidth: number;
		};
		const { violations } = await looking.run();
		const wide = document.documentElement.scrollWidth - innerWidth;
		return [
			...violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" ")}`),
			...(wide > 0 ? [`it scrolls sideways by ${wide} pixels`] : []),
		];
	});
}
