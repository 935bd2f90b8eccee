// The public door: explicit named exports, grouped by room.
export { type ErrorCode, statusOf, TrimtabError } from "./errors.ts";
