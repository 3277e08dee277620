import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor/index.js";

const bytes = readFileSync(new URL("opentelemetry-proto.binpb", import.meta.url));
const { fromDescriptor } = protobuf.Root as unknown as { fromDescriptor(set: Uint8Array): protobuf.Root };
const root = fromDescriptor(bytes).resolveAll();
const TRACES = root.lookupType("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest");
const METRICS = root.lookupType("opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest");

type Attributes = Record<string, string | number | boolean>;

/** A span as it came, its ids in hexadecimal digits and its attributes as an object. */
export interface ReceivedSpan {
	traceId: string;
	spanId: string;
	parentSpanId: string;
	traceState: string;
	name: string;
	kind: string;
	start: bigint;
	end: bigint;
	attributes: Attributes;
	events: { name: string; time: bigint; attributes: Attributes }[];
	droppedEvents: number;
	links: { traceId: string; spanId: string }[];
	droppedLinks: number;
	status: { code: string; message: string };
	resource: Attributes;
}

/** A point of a metric as it came last, by its name. */
export interface ReceivedPoint {
	metric: string;
	unit: string;
	kind: "sum" | "gauge" | "histogram";
	temporality: string;
	attributes: Attributes;
	start: bigint;
	value: number;
	count: number;
	buckets: number[];
}

/** What a collector does with what it gets. */
export type Conduct = "takes" | "holds" | { status: number; headers?: Record<string, string> };

/** A collector that reads what it gets by OTLP's own definitions, and takes nothing that these do not have. */
export class Collector {
	readonly spans: ReceivedSpan[] = [];
	/** Of the latest export. */
	points: ReceivedPoint[] = [];
	/** Of all exports. */
	readonly allPoints: ReceivedPoint[] = [];
	conduct: Conduct = "takes";
	/** Requests that came, whatever became of them, and those of which something was wrong. */
	requests = 0;
	readonly problems: unknown[] = [];
	/** The headers of the request that came last. */
	headers: IncomingMessage["headers"] = {};
	readonly #server: Server;
	readonly #held = new Set<ServerResponse>();

	private constructor() {
		this.#server = createServer((req, res) => void this.#on(req, res));
	}

	static async start(port = 0): Promise<Collector> {
		const collector = new Collector();
		await new Promise<void>((resolve) => collector.#server.listen(port, "127.0.0.1", resolve));
		return collector;
	}

	get port(): number {
		return (this.#server.address() as AddressInfo).port;
	}

	get url(): string {
		return `http://127.0.0.1:${this.port}`;
	}

	async #on(req: IncomingMessage, res: ServerResponse): Promise<void> {
		const parts: Buffer[] = [];
		for await (const part of req) parts.push(part as Buffer);
		this.requests++;
		this.headers = req.headers;
		const { conduct } = this;
		if (conduct === "holds") {
			this.#held.add(res);
			return;
		}
		if (conduct !== "takes") {
			res.writeHead(conduct.status, conduct.headers).end();
			return;
		}
		try {
			assert.equal(req.method, "POST");
			assert.equal(req.headers["content-type"], "application/x-protobuf");
			const body = Buffer.concat(parts);
			if (req.url === "/v1/traces") this.spans.push(...spansOf(decoded(TRACES, body)));
			else if (req.url === "/v1/metrics") {
				this.points = pointsOf(decoded(METRICS, body));
				this.allPoints.push(...this.points);
			} else assert.fail(`there is no ${req.url}`);
			res.writeHead(200, { "content-type": "application/x-protobuf" }).end();
		} catch (error) {
			this.problems.push(error);
			res.writeHead(400).end();
		}
	}

	/** Answers those that it has kept waiting, by breaking off. */
	release(): void {
		for (const res of this.#held) res.destroy();
		this.#held.clear();
	}

	async stop(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}
}

/** A message, whose every byte is one of a field that its definition has. */
// biome-ignore lint/suspicious/noExplicitAny: a message has the fields of its definition
function decoded(type: protobuf.Type, body: Uint8Array): any {
	refuseUnknown(type, body);
	return type.toObject(type.decode(body), {
		longs: String,
		enums: String,
		bytes: Buffer,
		defaults: true,
		oneofs: true,
	});
}

const LENGTH_DELIMITED = 2;

/** Throws where a message, or one within it, has a field that its definition does not have. */
function refuseUnknown(type: protobuf.Type, body: Uint8Array): void {
	const reader = protobuf.Reader.create(body);
	while (reader.pos < reader.len) {
		const tag = reader.uint32();
		const field = type.fieldsById[tag >>> 3];
		assert.ok(field, `${type.fullName} has no field ${tag >>> 3}`);
		if (field.resolvedType instanceof protobuf.Type) {
			assert.equal(tag & 7, LENGTH_DELIMITED);
			refuseUnknown(field.resolvedType, reader.bytes());
		} else reader.skipType(tag & 7);
	}
}

// Names are as the definitions have them.
// biome-ignore-start lint/suspicious/noExplicitAny: what was decoded
function attributesOf(list: any[]): Attributes {
	return Object.fromEntries(
		list.map(({ key, value }: any) => {
			const [, read] =
				[
					["string_value", (text: string) => text] as const,
					["bool_value", Boolean] as const,
					["int_value", Number] as const,
					["double_value", Number] as const,
				].find(([name]) => value.value === name) ?? assert.fail(`an attribute of another kind: ${value.value}`);
			return [key, (read as (value: unknown) => string)(value[value.value])];
		}),
	);
}

const hex = (id: Buffer) => Buffer.from(id).toString("hex");

function spansOf({ resource_spans }: any): ReceivedSpan[] {
	return resource_spans.flatMap(({ resource, scope_spans }: any) =>
		scope_spans.flatMap(({ spans }: any) =>
			spans.map((span: any) => ({
				traceId: hex(span.trace_id),
				spanId: hex(span.span_id),
				parentSpanId: hex(span.parent_span_id),
				traceState: span.trace_state,
				name: span.name,
				kind: span.kind.replace("SPAN_KIND_", ""),
				start: BigInt(span.start_time_unix_nano),
				end: BigInt(span.end_time_unix_nano),
				attributes: attributesOf(span.attributes),
				events: span.events.map((event: any) => ({
					name: event.name,
					time: BigInt(event.time_unix_nano),
					attributes: attributesOf(event.attributes),
				})),
				droppedEvents: span.dropped_events_count,
				links: span.links.map((link: any) => ({ traceId: hex(link.trace_id), spanId: hex(link.span_id) })),
				droppedLinks: span.dropped_links_count,
				status: { code: span.status.code.replace("STATUS_CODE_", ""), message: span.status.message },
				resource: attributesOf(resource.attributes),
			})),
		),
	);
}

function pointsOf({ resource_metrics }: any): ReceivedPoint[] {
	return resource_metrics.flatMap(({ scope_metrics }: any) =>
		scope_metrics.flatMap(({ metrics }: any) =>
			metrics.flatMap((metric: any) => {
				const kind = metric.data as ReceivedPoint["kind"];
				return metric[kind].data_points.map((point: any) => ({
					metric: metric.name,
					unit: metric.unit,
					kind,
					temporality: (metric[kind].aggregation_temporality ?? "").replace("AGGREGATION_TEMPORALITY_", ""),
					attributes: attributesOf(point.attributes),
					start: BigInt(point.start_time_unix_nano),
					value: Number(kind === "histogram" ? point.sum : point[point.value]),
					count: Number(point.count ?? 0),
					buckets: (point.bucket_counts ?? []).map(Number),
				}));
			}),
		),
	);
}
// biome-ignore-end lint/suspicious/noExplicitAny: what was decoded
