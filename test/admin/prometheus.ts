export interface Family {
  readonly help: string;
  readonly type: string;
  /** Values by the sample's name and labels as written: `rows_total{reason="invalid"}`. */
  readonly samples: Map<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = String.raw`\{[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*")*\}`;
const SAMPLE = new RegExp(`^(${NAME})(${LABELS})? (NaN|[+-]?Inf|[-+0-9.e]+)$`);
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);

/**
 * Parses Prometheus text of format 0.0.4. Throws on a line that is none, on a sample outside its family, and on
 * a family without help or type, or with two.
 */
export function parsePrometheus(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, Family>();
  let name = '';
  let help: string | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, keyword, subject, words] = COMMENT.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(subject!)) throw new Error(`two families of one name: ${line}`);
      name = subject!;
      help = words!;
      continue;
    }
    if (keyword === 'TYPE') {
      if (subject !== name || help === undefined) throw new Error(`type without help: ${line}`);
      families.set(name, { help, type: words!, samples: new Map() });
      help = undefined;
      continue;
    }
    const [, sample, labels = '', value] = SAMPLE.exec(line) ?? [];
    const family = families.get(name);
    if (sample === undefined || !family) throw new Error(`not a sample of a family: ${line}`);
    const suffix = family.type === 'histogram' ? /^_(bucket|sum|count)$/ : /^$/;
    if (!sample.startsWith(name) || !suffix.test(sample.slice(name.length)))
      throw new Error(`not a sample of ${name}: ${line}`);
    if (family.samples.has(sample + labels)) throw new Error(`twice: ${line}`);
    family.samples.set(sample + labels, Number(value!.replace('Inf', 'Infinity')));
  }
  return families;
}
