/** The files of a function are asked as another function is: `env.ASSETS.fetch(request)`. */
export { create } from "../service/isolate.ts";
