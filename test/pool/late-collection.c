/*
 * An addon for Node that collects garbage while Node takes itself apart, after all that was loaded later has been
 * cleaned up. V8 does so now and then by itself.
 */
typedef void *napi_env;
typedef void *napi_value;

extern int napi_add_env_cleanup_hook(napi_env env, void (*hook)(void *), void *argument);

/* v8::Isolate::GetCurrent() and v8::Isolate::LowMemoryNotification() */
extern void *_ZN2v87Isolate10GetCurrentEv(void);
extern void _ZN2v87Isolate21LowMemoryNotificationEv(void *isolate);

static void collect(void *unused) {
	(void)unused;
	_ZN2v87Isolate21LowMemoryNotificationEv(_ZN2v87Isolate10GetCurrentEv());
}

__attribute__((visibility("default"))) int node_api_module_get_api_version_v1(void) { return 8; }

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
	napi_add_env_cleanup_hook(env, collect, 0);
	return exports;
}
