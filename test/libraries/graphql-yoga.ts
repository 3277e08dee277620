import { createSchema, createYoga } from "graphql-yoga";

const yoga = createYoga({
	logging: false,
	schema: createSchema({
		typeDefs: `
			type Query { hello(name: String = "you"): String!, users(first: Int!): [User!]!, fails: Int }
			type User { id: ID!, name: String! }
			type Mutation { add(a: Int!, b: Int!): Int! }
			type Subscription { count(to: Int!): Int! }
		`,
		resolvers: {
			Query: {
				hello: (_, { name }) => `hello ${name}`,
				users: async (_, { first }) => Array.from({ length: first }, (_, id) => ({ id, name: `u${id}` })),
				fails: () => {
					throw new Error("hidden from the client");
				},
			},
			Mutation: { add: (_, { a, b }) => a + b },
			Subscription: {
				count: {
					async *subscribe(_, { to }) {
						for (let count = 0; count < to; count++) yield { count };
					},
				},
			},
		},
	}),
});

export default {
	async fetch(): Promise<Response> {
		const ask = async (query: string, variables?: object, accept = "application/json") => {
			const response = await yoga.fetch("http://a.test/graphql", {
				method: "POST",
				headers: { "content-type": "application/json", accept },
				body: JSON.stringify({ query, variables }),
			});
			return [response.status, response.headers.get("content-type"), await response.text()];
		};
		const get = await yoga.fetch("http://a.test/graphql?query=%7Bhello%7D");
		return Response.json([
			await ask("{ hello users(first: 2) { id name } }"),
			await ask("query ($n: String) { hello(name: $n) }", { n: "Ada" }),
			await ask("mutation { add(a: 1, b: 2) }"),
			await ask("{ fails }"),
			await ask("{ nothing }"),
			await ask("subscription { count(to: 3) }", undefined, "text/event-stream"),
			await get.text(),
		]);
	},
};
