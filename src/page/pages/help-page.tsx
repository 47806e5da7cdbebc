import { LEVELS } from '../../view/shapes.js';
import { texts } from '../live/app.js';
import { COUNTS_TOPIC, useStream } from '../live/use-answer.js';
import { State } from '../parts/mark.js';

/** Keys, levels, and how to read the page. */
export function HelpPage() {
  useStream(COUNTS_TOPIC);
  const { help, level, levelMeans } = texts.value;
  return (
    <div class="list help">
      <h1>{help.title}</h1>
      <section>
        <h2>{help.levelsTitle}</h2>
        <dl class="pairs">
          {[...LEVELS].reverse().map((each) => (
            <div key={each}>
              <dt>
                <State tone={each} word={level[each]} />
              </dt>
              <dd>{levelMeans[each]}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section>
        <h2>{help.readTitle}</h2>
        <ul>
          {help.read.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </section>
      <section>
        <h2>{help.keysTitle}</h2>
        <dl class="pairs keys">
          {help.keys.map(([key, does]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}
