type Row = Record<string, unknown>;

const WIDTH = 720;
const LABELS = 240;
const BAR = 18;
const TITLE = 34;

const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** A table's numbers as bars, column by column, as SVG; `null` for what is no table. */
export function chart(title: string, rows: unknown): string | null {
	if (!Array.isArray(rows) || rows.length === 0) return null;
	const [first] = rows as Row[];
	const columns = Object.keys(first).filter((key) => typeof first[key] === "number");
	const words = Object.keys(first).filter((key) => typeof first[key] === "string");
	if (columns.length === 0) return null;
	const panel = TITLE + rows.length * BAR;
	const parts = columns.map((column, i) => {
		const values = (rows as Row[]).map((row) => Number(row[column]) || 0);
		const most = Math.max(...values, Number.MIN_VALUE);
		const top = 30 + i * panel;
		const bars = values.map((value, at) => {
			const y = top + TITLE - 8 + at * BAR;
			const width = Math.max(1, (value / most) * (WIDTH - LABELS - 90));
			const label = words.map((word) => (rows as Row[])[at][word]).join(" ");
			return (
				`<text x="${LABELS - 6}" y="${y + 12}" text-anchor="end">${escaped(label)}</text>` +
				`<rect x="${LABELS}" y="${y + 2}" width="${width.toFixed(1)}" height="${BAR - 5}" fill="#2a6f97"/>` +
				`<text x="${(LABELS + width + 5).toFixed(1)}" y="${y + 12}">${Math.round(value * 100) / 100}</text>`
			);
		});
		return `<text x="8" y="${top + 16}" font-weight="bold">${escaped(column)}</text>${bars.join("")}`;
	});
	const height = 40 + columns.length * panel;
	return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="white"/>
<text x="8" y="20" font-size="15" font-weight="bold">${escaped(title)}</text>
${parts.join("\n")}
</svg>
`;
}
