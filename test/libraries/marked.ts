import { Marked, marked } from "marked";

const TEXT = `# Title\n\nSome *emphasis*, **strong**, \`code\` and [a link](http://a.test "t").\n\n- one\n- two\n  1. nested\n\n> quote\n\n\`\`\`js\nconst a = "<b>";\n\`\`\`\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n~~gone~~ ![img](x.png) <script>x</script>\n`;

export default {
	async fetch(): Promise<Response> {
		const own = new Marked({
			renderer: { heading: ({ text, depth }) => `<h${depth} class="own">${text}</h${depth}>` },
		});
		return Response.json([marked.parse(TEXT), await own.parse(TEXT, { async: true }), marked.lexer("a **b**")[0]]);
	},
};
