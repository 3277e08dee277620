import assert from "node:assert/strict";
import { test } from "node:test";
import { otlpEnvironment, settleOtlp, withoutOtlp } from "../../src/config/otlp.ts";
import { checkServer } from "../../src/config/server.ts";

const given = (otlp: object = {}) => checkServer({ otlp }, "test").otlp;
const settled = (otlp: object, environment: NodeJS.ProcessEnv = {}) => settleOtlp(given(otlp), environment);

test("without a collector nothing is exported", () => {
	const { otlp, variables } = settled({});
	assert.deepEqual([otlp.traces, otlp.metrics, variables], [false, false, {}]);
});

test("what the file says becomes variables, and the settings keep no key", () => {
	const { otlp, variables } = settled({ endpoint: "http://127.0.0.1:4318", headers: { "x-key": "a,b=c d" } });
	assert.deepEqual([otlp.traces, otlp.metrics, otlp.headers], [true, true, {}]);
	assert.deepEqual(variables, {
		OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318",
		OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%2Cb%3Dc%20d",
	});
});

test("the environment comes before the file", () => {
	const file = { endpoint: "http://127.0.0.1:1", headers: { a: "b" } };
	const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:2", OTEL_EXPORTER_OTLP_HEADERS: "c=d" };
	assert.deepEqual(settled(file, environment).variables, {});
	const off = (variables: NodeJS.ProcessEnv) => {
		const { traces, metrics } = settled(file, variables).otlp;
		return [traces, metrics];
	};
	assert.deepEqual(off({ OTEL_SDK_DISABLED: "true" }), [false, false]);
	assert.deepEqual(off({ OTEL_TRACES_EXPORTER: "none" }), [false, true]);
	const alone = settled({}, { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "https://example.com/v1/metrics" }).otlp;
	assert.deepEqual([alone.traces, alone.metrics], [false, true]);
});

test("what makes no sense is refused by its name", () => {
	assert.throws(() => given({ endpoint: "localhost:4318" }), /otlp\.endpoint: must be an http or https URL/);
	assert.throws(() => given({ endpoint: "ftp://a.test" }), /otlp\.endpoint/);
	assert.throws(() => given({ headers: { "a b": "c" } }), /otlp\.headers/);
	assert.throws(() => given({ intervalMs: 10 }), /otlp\.intervalMs/);
	assert.throws(() => given({ intervall: 10 }), /otlp/);
	assert.throws(() => checkServer({ traces: { sample: 1.5 } }, "test"), /traces\.sample/);
	assert.throws(
		() => settled({}, { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" }),
		/OTEL_EXPORTER_OTLP_ENDPOINT must be an http or https URL/,
	);
	const grpc = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://a.test:4317", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };
	assert.throws(() => settled({}, grpc), /OTEL_EXPORTER_OTLP_PROTOCOL: atoll exports by http\/protobuf alone/);
});

test("the process that exports gets what it needs of the environment, and the edge no key", () => {
	const environment = {
		OTEL_EXPORTER_OTLP_HEADERS: "a=b",
		OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: "/etc/key.pem",
		ATOLL_ADMIN_TOKEN: "secret",
		HTTPS_PROXY: "http://proxy",
		PATH: "/bin",
	};
	const { env, files } = otlpEnvironment(environment);
	assert.deepEqual(Object.keys(env), [
		"OTEL_EXPORTER_OTLP_HEADERS",
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
		"HTTPS_PROXY",
	]);
	assert.deepEqual(files, ["/etc/key.pem"]);
	assert.deepEqual(Object.keys(withoutOtlp(environment)), ["ATOLL_ADMIN_TOKEN", "HTTPS_PROXY", "PATH"]);
});
