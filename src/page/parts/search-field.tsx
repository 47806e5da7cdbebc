import { useEffect, useRef } from 'preact/hooks';
import { href, place, setParams, texts } from '../live/app.js';

const PAUSE_MS = 250;

/** Searches services: on the overview while one types, elsewhere on Enter. */
export function SearchField() {
  const { nav } = texts.value;
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { page, params } = place.value;
  const asked = page === 'overview' ? (params['q'] ?? '') : '';
  useEffect(() => {
    if (field.current && document.activeElement !== field.current) field.current.value = asked;
  }, [asked]);
  const search = (value: string) => {
    clearTimeout(timer.current);
    const q = value.trim();
    if (place.value.page === 'overview') setParams({ q, limit: undefined });
    else location.hash = href('', { q });
  };
  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          search(field.current?.value ?? '');
        }}
      >
        <input
          ref={field}
          id="search"
          type="search"
          autocomplete="off"
          placeholder={nav.search}
          aria-label={nav.searchLabel}
          onInput={({ currentTarget }) => {
            if (place.value.page !== 'overview') return;
            clearTimeout(timer.current);
            const { value } = currentTarget;
            timer.current = setTimeout(() => search(value), PAUSE_MS);
          }}
        />
      </form>
    </search>
  );
}
