/** What a function can import beside code. */
declare module "*.wasm" {
	const module: WebAssembly.Module;
	export default module;
}
declare module "*.bin" {
	const bytes: Uint8Array<ArrayBuffer>;
	export default bytes;
}
declare module "*.txt" {
	const text: string;
	export default text;
}
declare module "*.html" {
	const text: string;
	export default text;
}
declare module "*.sql" {
	const text: string;
	export default text;
}
declare module "*.css" {
	const text: string;
	export default text;
}
declare module "*.svg" {
	const text: string;
	export default text;
}
