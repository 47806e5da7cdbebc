import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { href, texts } from '../live/app.js';
import type { AskError } from '../live/request.js';

const PATIENCE_MS = 300;

/** Nothing for a moment, then the outline of what is to come. */
export function Loading({ rows = 8 }: { readonly rows?: number }) {
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="loading" data-state-of-page="loading">
      {isLong && (
        <>
          <p class="visually-hidden" role="status">
            {texts.value.state.loading}
          </p>
          {Array.from({ length: rows }, (_, index) => (
            <div key={index} class="bone" />
          ))}
        </>
      )}
    </div>
  );
}

/** What was asked for is not there, or the answer went wrong. */
export function Failure({ error }: { readonly error: AskError }) {
  const { state } = texts.value;
  const isUnknown = error.status === 404;
  return (
    <section class="notice" data-state-of-page={isUnknown ? 'unknown' : 'failed'}>
      <h1>{isUnknown ? state.noLonger : state.failed}</h1>
      <p lang="en">{error.message}</p>
      <p>
        <a href={href('')}>{state.backToOverview}</a>
      </p>
    </section>
  );
}

/** No agent has reported anything yet. */
export function NoReports() {
  const { state } = texts.value;
  return (
    <section class="notice" data-state-of-page="empty">
      <h1>{state.noReports}</h1>
      <p>{state.none}</p>
      <p>
        {state.noneTry} <code>lars-reporter send --modid 1 --cmdid 1 --host 10.0.0.1:80</code>
      </p>
    </section>
  );
}

export function Notice({ children }: { readonly children: ComponentChildren }) {
  return <section class="notice">{children}</section>;
}
