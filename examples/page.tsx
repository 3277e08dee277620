/** @jsxImportSource hono/jsx */
// An HTML page written as JSX.
import { Hono } from "hono";
import type { FC } from "hono/jsx";

const Layout: FC<{ title: string }> = ({ title, children }) => (
	<html lang="en">
		<head>
			<title>{title}</title>
		</head>
		<body>{children}</body>
	</html>
);

const app = new Hono();

app.get("/", (c) => {
	const visitor = c.req.query("name") ?? "stranger";
	return c.html(
		<Layout title="A page">
			<h1>Good day, {visitor}</h1>
			<ul>
				{["isolates", "turns", "a link"].map((part) => (
					<li key={part}>{part}</li>
				))}
			</ul>
		</Layout>,
	);
});

export default app;
