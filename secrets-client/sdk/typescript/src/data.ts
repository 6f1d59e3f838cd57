/** Core's rules as data (`rules.json`). */
import { readFileSync } from "node:fs";

export interface Row {
  grade: string;
  reason: string;
  patterns: string[];
}

interface Rules {
  rules: Record<string, string>;
  limits: Record<string, number>;
  patterns: Record<string, string>;
  invisible: [number, number][];
  reserved: { variables: Row[]; paths: Row[] };
}

export const RULES = JSON.parse(readFileSync(new URL("./rules.json", import.meta.url), "utf8")) as Rules;
