export default {
	fetch() {
		let x;
		for (;;) x = new Array(1000);
	},
};
