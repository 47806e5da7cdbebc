import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { texts } from '../live/app.js';

const SAID_MS = 2000;

/** Puts a text into the clipboard, also where the page did not come over HTTPS. */
export function CopyButton({ label, text }: { readonly label: string; readonly text: () => string }) {
  const isDone = useSignal(false);
  useEffect(() => {
    if (!isDone.value) return;
    const timer = setTimeout(() => {
      isDone.value = false;
    }, SAID_MS);
    return () => clearTimeout(timer);
  }, [isDone.value]);
  const copy = async () => {
    const value = text();
    try {
      await navigator.clipboard.writeText(value);
      isDone.value = true;
    } catch {
      isDone.value = copyFromField(value);
    }
  };
  return (
    <button type="button" class="quiet" onClick={copy}>
      {isDone.value ? texts.value.service.copied : label}
    </button>
  );
}

/** The only way without HTTPS. */
function copyFromField(value: string): boolean {
  const field = document.createElement('textarea');
  field.value = value;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  return isCopied;
}
