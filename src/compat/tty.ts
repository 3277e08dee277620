/** `node:tty`: a function has no terminal. */
export const isatty = (): boolean => false;
export default { isatty };
