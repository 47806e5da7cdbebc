import { texts } from '../live/app.js';
import { CopyButton } from './copy-button.js';

/** A link to exactly this view, and what it shows as a table. `path`: of the API. */
export function TakeAway({ path }: { readonly path: string }) {
  const { service } = texts.value;
  return (
    <span class="take-away">
      <CopyButton label={service.copyLink} text={() => location.href} />
      <a href={`${path}${path.includes('?') ? '&' : '?'}format=csv`} download>
        {service.csv}
      </a>
    </span>
  );
}
