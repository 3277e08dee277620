export default {
	fetch() {
		for (;;) {}
	},
};
