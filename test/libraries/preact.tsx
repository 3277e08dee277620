/** @jsxImportSource preact */
import { createContext } from "preact";
import { useContext, useMemo, useState } from "preact/hooks";
import { renderToString, renderToStringAsync } from "preact-render-to-string";
import { renderToReadableStream } from "preact-render-to-string/stream";

const Theme = createContext("light");
function List({ items }: { items: string[] }) {
	const theme = useContext(Theme);
	const [n] = useState(items.length);
	const sorted = useMemo(() => items.toSorted(), [items]);
	return (
		<ul class={theme} data-n={n}>
			{sorted.map((item) => (
				<li key={item}>{item}</li>
			))}
		</ul>
	);
}
const App = () => (
	<Theme.Provider value="dark">
		<List items={["b", "<a>", "c & d"]} />
		<input disabled value={'"quoted"'} />
		{/* biome-ignore lint/security/noDangerouslySetInnerHtml: what it renders is tested */}
		<div dangerouslySetInnerHTML={{ __html: "<b>raw</b>" }} style={{ color: "red", marginTop: 4 }} />
	</Theme.Provider>
);

export default {
	async fetch(): Promise<Response> {
		const stream = renderToReadableStream(<App />);
		return Response.json([
			renderToString(<App />),
			await renderToStringAsync(<App />),
			await new Response(stream as unknown as BodyInit).text(),
		]);
	},
};
