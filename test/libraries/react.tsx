import { createContext, Suspense, use, useId, useState } from "react";
import { renderToReadableStream, renderToStaticMarkup, renderToString } from "react-dom/server.edge";

const Theme = createContext("light");
const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
function Later({ data }: { data: Promise<string> }) {
	return <p>{use(data)}</p>;
}
function App({ data }: { data: Promise<string> }) {
	const id = useId();
	const [count] = useState(() => 3);
	return (
		<Theme.Provider value="dark">
			<label htmlFor={id}>{use(Theme)}</label>
			<input id={id} defaultValue={`<${count}>`} />
			<Suspense fallback={<i>loading</i>}>
				<Later data={data} />
			</Suspense>
		</Theme.Provider>
	);
}

export default {
	async fetch(): Promise<Response> {
		const errors: string[] = [];
		const stream = await renderToReadableStream(<App data={wait(5).then(() => "arrived")} />, {
			bootstrapScripts: ["/main.js"],
			onError: (error) => void errors.push(String(error)),
		});
		const streamed = await new Response(stream as unknown as BodyInit).text();
		return Response.json([
			streamed,
			errors,
			renderToString(<b title="x & y">{"<text>"}</b>),
			renderToStaticMarkup(
				<ul>
					{[1, 2].map((n) => (
						<li key={n}>{n}</li>
					))}
				</ul>,
			),
		]);
	},
};
