/** `node:stream`: Node's own streams as a package, with bridges to the Web's. */
import streams, { Duplex, Readable, Writable } from "readable-stream";

type Bridges = Record<"toWeb" | "fromWeb", unknown>;

Object.assign(Readable as unknown as Bridges, {
	toWeb(readable: Readable): ReadableStream {
		const parts = readable[Symbol.asyncIterator]();
		return new ReadableStream({
			async pull(controller) {
				const { done, value } = await parts.next();
				if (done) controller.close();
				else controller.enqueue(value);
			},
			cancel(reason) {
				readable.destroy(reason as Error);
			},
		});
	},
	fromWeb: (stream: ReadableStream, options?: object) =>
		Readable.from(stream as unknown as AsyncIterable<unknown>, { objectMode: false, ...options }),
});
Object.assign(Writable as unknown as Bridges, {
	toWeb: (writable: Writable) =>
		new WritableStream({
			write: (chunk) =>
				new Promise<void>((resolve, reject) => writable.write(chunk, (error) => (error ? reject(error) : resolve()))),
			close: () =>
				new Promise<void>((resolve, reject) =>
					writable.end(((error?: Error) => (error ? reject(error) : resolve())) as () => void),
				),
			abort: (reason) => void writable.destroy(reason as Error),
		}),
	fromWeb(stream: WritableStream) {
		const writer = stream.getWriter();
		return new Writable({
			write: (chunk, _encoding, done) => void writer.write(chunk).then(() => done(), done),
			final: (done) => void writer.close().then(() => done(), done),
			destroy: (error, done) =>
				void (error === null ? Promise.resolve() : writer.abort(error)).then(() => done(error), done),
		});
	},
});

export const {
	PassThrough,
	Stream,
	Transform,
	addAbortSignal,
	compose,
	destroy,
	finished,
	pipeline,
	promises,
	isDisturbed,
	isErrored,
	isReadable,
} = streams;
export { Duplex, Readable, Writable };
// The package has Readable there, of which what is only written is none.
export default streams.Stream;
