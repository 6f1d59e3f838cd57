/** Text that came from elsewhere, and characters that a terminal obeys or a reader does not see. */
import { RULES } from "./data.js";

/** More than the service has to say in one text. */
const MAX_CHARACTERS = 8_192;
const RANGES = RULES.invisible.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join("");
const INVISIBLE = new RegExp(`[${RANGES}]`, "u");
const EACH_INVISIBLE = new RegExp(INVISIBLE, "gu");

export function isVisible(text: string): boolean {
  return !INVISIBLE.test(text);
}

/** One line that a terminal shows and does not obey. */
export function escaped(text: string): string {
  const cut = text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
  return cut.replace(EACH_INVISIBLE, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
