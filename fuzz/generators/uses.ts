import fc from "fast-check";
import { values } from "./values.ts";

/** The platform's interfaces with a hole for each argument, `$`. */
const USES = [
	"console.log($);",
	"console.log('a line');",
	"console.error(new Error($));",
	"console.table($, $);",
	"console.dir($, $);",
	"console.trace($);",
	"reportError($);",
	"await fetch('http://neighbour0.test/', { method: 'POST', body: $ }).then((r) => r.text());",
	"await fetch('http://127.0.0.1:1/', $);",
	"await fetch($, $);",
	"void fetch('http://neighbour1.test/', { signal: AbortSignal.timeout(1) });",
	"await new Response($).text();",
	"await new Response($, $).arrayBuffer();",
	"await Response.json($, $).json();",
	"new Headers($).append('a', $);",
	"request.headers.forEach($);",
	"await new Request('http://a/', $).formData();",
	"new URL($, 'http://a/').searchParams.append($, $);",
	"new URLSearchParams($).sort();",
	"new URLPattern($).exec($);",
	"structuredClone($, $);",
	"structuredClone([$, { a: $ }]);",
	"await crypto.subtle.digest('SHA-256', $);",
	"await crypto.subtle.generateKey($, true, ['sign']);",
	"await crypto.subtle.importKey('raw', $, $, true, $);",
	"crypto.getRandomValues($);",
	"await new Promise((resolve) => setTimeout(resolve, 1, $));",
	"setTimeout($, 1);",
	"queueMicrotask($);",
	"ctx.waitUntil($);",
	"void Promise.reject($);",
	"await caches.default.put('http://a/b', new Response($, { headers: { 'cache-control': 'max-age=60' } }));",
	"await caches.default.match($).then((r) => r.text());",
	"const pair = new WebSocketPair(); pair[0].accept(); pair[1].accept(); pair[0].send($); pair[1].close($, $);",
	"await new Response(new ReadableStream({ start: $, pull: $, cancel: $ })).text();",
	"await new Response(new ReadableStream($).pipeThrough(new TransformStream($))).text();",
	"await new Response('x').body.pipeThrough(new CompressionStream($)).getReader().read();",
	"new ReadableStream({ type: 'bytes', pull: $ }).tee();",
	"await new Blob([$, $], $).text();",
	"new FormData().append($, $);",
	"btoa($); atob($);",
	"new TextDecoder($, $).decode($);",
	"new TextEncoder().encodeInto($, $);",
	"new EventTarget().addEventListener('x', $, $);",
	"addEventListener('unhandledrejection', $);",
	"dispatchEvent(new Event($, $));",
	"AbortSignal.any($).throwIfAborted();",
	"new MessageChannel().port1.postMessage($, $);",
	"performance.mark($, $);",
	"new WebAssembly.Module($);",
	"held.push(await request.clone().text());",
	"await held.at(-1)?.($);",
];

const ANSWERS = [
	'return new Response("answered");',
	'return new Response("answered");',
	"return new Response($);",
	"return new Response($, { status: 200, headers: $ });",
	"return new Response($, $);",
	"return new Response(null, { status: 204, headers: { 'content-length': '5' } });",
	"return Response.json($);",
	"return new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(10)); c.close(); } }));",
	"return new Response(new ReadableStream($));",
	"{ const { 0: client, 1: server } = new WebSocketPair(); server.accept(); server.send($); server.addEventListener('message', $); return new Response(null, { status: 101, webSocket: client, headers: $ }); }",
	"{ const { 0: client, 1: server } = new WebSocketPair(); server.accept(); return new Response(null, { status: 101, webSocket: client }); }",
	"return Response.redirect($, 302);",
	"return await fetch('http://neighbour2.test/', $);",
	"return $;",
	"throw $;",
];

/** Each hole filled with an expression of its own. */
function filled(templates: string[]): fc.Arbitrary<string> {
	return fc.oneof(
		...templates.map((template) => {
			const parts = template.split("$");
			return fc
				.array(values, { minLength: parts.length - 1, maxLength: parts.length - 1 })
				.map((given) => parts.map((part, i) => (i === 0 ? part : given[i - 1] + part)).join(""));
		}),
	);
}

/** Statements that use the platform. */
export const uses = filled(USES);

/** How a handler ends. */
export const answers = filled(ANSWERS);
