import type { Reason, Summary } from '../../view/shapes.js';
import { href, texts } from '../live/app.js';
import { idOf } from '../pure/stream-merge.js';

/**
 * Why a service is where it is, in one sentence; strongest first, at most so many reasons. That single callers avoid a
 * host is worth a word only where nothing else is.
 */
export function reasonsOf(summary: Summary, most = Number.POSITIVE_INFINITY): string {
  const { reasons } = summary;
  return reasons
    .filter(({ code }) => code !== 'hosts-noted' || reasons.length === 1)
    .slice(0, most)
    .map((reason) => reasonText(reason, summary))
    .join(texts.value.locale === 'zh-CN' ? '；' : '; ');
}

export function reasonText({ code, text }: Reason, summary: Summary): string {
  return texts.value.reason(code, summary, text);
}

interface ServiceProps {
  readonly service: { readonly modid: number; readonly cmdid: number; readonly name: string | null };
}

/** Number and name. Names are text and nothing else, whatever they hold. */
export function ServiceName({ service }: ServiceProps) {
  return (
    <>
      <span class="id">{idOf(service)}</span>
      {service.name !== null && <span class="name">{service.name}</span>}
    </>
  );
}

export function ServiceLink({ service }: ServiceProps) {
  return (
    <a href={href(`services/${idOf(service)}`)}>
      <ServiceName service={service} />
    </a>
  );
}

/** `10.0.0.1:80`, leads to the host. */
export function HostLink({ host }: { readonly host: string }) {
  return (
    <a class="addr" href={href(`hosts/${host.split(':')[0]}`)}>
      {host}
    </a>
  );
}

export function CallerLink({ caller }: { readonly caller: string }) {
  return (
    <a class="addr" href={href(`callers/${caller}`)}>
      {caller}
    </a>
  );
}
