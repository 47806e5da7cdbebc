import type { ExecutionContext } from 'ava';
import axe from 'axe-core';
import type { Page } from 'playwright-core';

export type Scheme = 'light' | 'dark';

/** Nothing that hinders people who hear the page, use keys, or see badly. */
export async function expectAccessible(t: ExecutionContext, page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const tool = (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe;
    const { violations } = await tool.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`);
  });
  t.deepEqual(violations, [], what);
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** The page fits its window: only boxes within it scroll sideways. */
export async function expectToFit(t: ExecutionContext, page: Page, what: string): Promise<void> {
  const [content, window] = await page.evaluate<[number, number]>(
    '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
  );
  t.true(content <= window, `${what}: ${content} > ${window}`);
}

/** What the page shows once it is live. */
export const LIVE = 'body[data-connection=live]';

const PATIENCE_MS = 20_000;
const PAUSE_MS = 50;

/** Waits until an expression holds in the page; its policy allows no waiting within it. */
export async function eventually(t: ExecutionContext, page: Page, expression: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let holds = false;
  while (!holds && performance.now() < deadline) {
    holds = await page.evaluate<boolean>(`Boolean(${expression})`);
    if (!holds) await page.waitForTimeout(PAUSE_MS);
  }
  t.true(holds, expression);
}
