/** `import.meta.env`, as Vite has it: the function's environment, and in which mode it was built. */
declare const process: { env: { NODE_ENV: string } };

// The bundler puts a string in its place.
const NODE_ENV = process.env.NODE_ENV;

export const importMetaEnv = {
	...Deno.env.toObject(),
	MODE: NODE_ENV,
	PROD: NODE_ENV === "production",
	DEV: NODE_ENV !== "production",
	SSR: true,
	BASE_URL: "/",
};
