const bomb = () => {
	setTimeout(bomb);
	setTimeout(bomb);
};
export default {
	fetch() {
		bomb();
		return new Promise(() => {});
	},
};
