import type { Page } from '@playwright/test';
import { containersOf, expect, keyState, samplePassword, seen, test, typePassword } from './fixtures.ts';
import { sayOfTheModel } from './parts/devices.ts';

test('an old container with an encryption key stays without being asked about', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await page.goto('/renew');
  await page.locator('input[type=password]').fill(samplePassword);
  await page.keyboard.press('Enter');
  await expect(seen(page, /证书已更新/)).toBeVisible();
  await expect(page.getByRole('heading', { name: '新的签名证书' })).toBeVisible();
  await expect(page.getByText('要不要删除原来的证书？')).toHaveCount(0);
});

/** A key that was renewed before: its signing container holds no encryption key pair. */
async function renewWithoutEncryption(page: Page): Promise<void> {
  await page.goto('/');
  await page.evaluate(async () => {
    const state = await window.virtualKey.state();
    for (const { containers } of state.applications) for (const container of containers) delete container.encryption;
    const saved = JSON.parse(localStorage.getItem('virtual-key') ?? '{}') as object;
    localStorage.setItem('virtual-key', JSON.stringify({ ...saved, state }));
  });
  await page.goto('/renew');
  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible();
  expect(containersOf(await keyState(page))).toHaveLength(2);
  await page.getByText('要不要删除原来的证书？').click();
}

test('of a model that the operator has stopped meanwhile nothing is deleted', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await renewWithoutEncryption(page);
  await sayOfTheModel(page, { enrolment: 'readOnly' });

  await page.getByRole('button', { name: '删除原来的证书' }).click();

  await expect(seen(page, /现在暂停写入，没有删除/)).toBeVisible();
  expect(containersOf(await keyState(page))).toHaveLength(2);
});

/** What is said among the tabs of this site from now on, as another tab hears it. */
async function listenAsAnotherTab(page: Page): Promise<() => Promise<string[]>> {
  const other = await page.context().newPage();
  await other.goto('/robots.txt');
  const heard = await other.evaluateHandle(() => {
    const tasks: string[] = [];
    new BroadcastChannel('casupport.key').onmessage = ({ data }: MessageEvent<{ task?: string }>) =>
      void tasks.push(data.task ?? '');
    return tasks;
  });
  return () => heard.jsonValue();
}

test('one without is deleted when the person wants it, and nothing else is', async ({ page, desk }) => {
  await desk({ scenario: 'due-30-days' });
  await renewWithoutEncryption(page);
  const heard = await listenAsAnotherTab(page);

  await page.getByRole('button', { name: '删除原来的证书' }).click();
  await page.locator('input[type=password]').fill(samplePassword);
  await page.keyboard.press('Enter');
  await expect(seen(page, '原来的证书已删除，新的证书仍在。')).toBeVisible();
  const left = containersOf(await keyState(page));
  expect(left.map(({ name }) => name)).toEqual([expect.stringMatching(/^R[0-9a-f]{32}$/)]);
  expect(left[0]?.signing?.certificate).toBeTruthy();
  expect(await heard()).toContain('work');
});
