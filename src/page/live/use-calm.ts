import { type ReadonlySignal, signal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

export interface Calm {
  /** Somebody reads the table: rows stay where they are. */
  readonly isHeld: ReadonlySignal<boolean>;
  readonly handlers: {
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerLeave: () => void;
    readonly onFocusIn: () => void;
    readonly onFocusOut: () => void;
  };
}

/** Counts how often the waiting order was asked for. */
export const applied = signal(0);

export function applyOrder(): void {
  applied.value++;
}

/** Holds while the pointer has moved over the table and is in it, while the focus is in it, or text of it is selected. */
export function useCalm(box: RefObject<HTMLElement | null>): Calm {
  const isHeld = useSignal(false);
  const hold = () => {
    const element = box.current;
    if (!element) return;
    const selection = getSelection();
    const isSelected = selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode);
    isHeld.value =
      isSelected || element.contains(document.activeElement) || element.dataset['pointer'] === 'in';
  };
  const mark = (where: 'in' | 'out') => {
    if (box.current) box.current.dataset['pointer'] = where;
    hold();
  };
  useEffect(() => {
    document.addEventListener('selectionchange', hold);
    return () => document.removeEventListener('selectionchange', hold);
  }, []);
  return {
    isHeld,
    handlers: {
      // Fingers do not rest on a row.
      onPointerMove: ({ pointerType }) => {
        if (pointerType === 'mouse' && box.current?.dataset['pointer'] !== 'in') mark('in');
      },
      onPointerLeave: () => mark('out'),
      onFocusIn: hold,
      onFocusOut: () => queueMicrotask(hold),
    },
  };
}
