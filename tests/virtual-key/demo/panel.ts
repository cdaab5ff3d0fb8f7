import { scenarios } from '../state.ts';
import { type KeyChoice, keyKinds, sameKind } from './choice.ts';
import { element } from './element.ts';
import { styledHost } from './style.ts';
import { scenarioNames } from './words.ts';

export interface PanelModel {
  readonly choice: KeyChoice;
  /** A PIV key's, in hex, where the page has to ask for it. */
  readonly managementKey: string | undefined;
  /** Undefined as long as there is no key. */
  readonly plugged: boolean | undefined;
}

export interface PanelActions {
  plug(): Promise<void>;
  unplug(): Promise<void>;
  /** @throws anything when no key could be had */
  reset(choice: KeyChoice): Promise<void>;
}

/** The height of whatever the page keeps fixed along its lower edge. */
function fixedBarHeight(own: Element): number {
  for (const hit of document.elementsFromPoint(innerWidth / 2, innerHeight - 2)) {
    for (let at: Element | null = hit; at && at !== own; at = at.parentElement)
      if (getComputedStyle(at).position === 'fixed' && !at.contains(own))
        return Math.max(0, innerHeight - at.getBoundingClientRect().top);
  }
  return 0;
}

const option = (value: string, textContent: string): HTMLOptionElement => element('option', { value, textContent });

function choose(
  label: string,
  options: readonly HTMLElement[],
): { readonly field: HTMLElement; readonly select: HTMLSelectElement } {
  const select = element('select', {}, ...options);
  return { field: element('label', {}, element('span', { textContent: label }), select), select };
}

const allKinds = keyKinds.flatMap(({ kinds }) => kinds);

/** The 体验模式 panel: closed, a tab in the page's margin. Returns a function that shows a new state. */
export function mountPanel(actions: PanelActions): (model: PanelModel) => void {
  const { host, root } = styledHost('virtual-key-panel');
  const scenario = choose(
    '情形',
    scenarios.map((name) => option(name, scenarioNames[name])),
  );
  const kind = choose(
    'USBKEY 种类',
    keyKinds.map(({ group, kinds }) =>
      element('optgroup', { label: group }, ...kinds.map(([name]) => option(name, name))),
    ),
  );
  const managementKey = element('code');
  const managementKeyLine = element('p', { hidden: true }, '它的管理密钥是 ', managementKey, '。');
  const status = element('p', { role: 'status' });
  const plug = element('button', { type: 'button', className: 'filled' });
  const restore = element('button', { type: 'button', className: 'plain', textContent: '恢复初始状态' });
  const panel = element(
    'div',
    { id: 'panel', hidden: true },
    element('h2', { textContent: '体验模式' }),
    element(
      'p',
      {},
      '这里的 USBKEY、证书和证书机构都是示例，不是真的业务。USBKEY 的密码是 ',
      element('code', { textContent: '12345678' }),
      '。',
    ),
    managementKeyLine,
    scenario.field,
    kind.field,
    status,
    element('div', { className: 'buttons' }, plug, restore),
  );
  panel.className = 'panel';
  const tab = element('button', { type: 'button', className: 'tab', textContent: '体验模式' });
  tab.setAttribute('aria-controls', panel.id);
  const aside = element('aside', { ariaLabel: '体验模式' }, tab, panel);
  root.append(aside);
  document.body.append(host);

  const open = (opened: boolean): void => {
    panel.hidden = !opened;
    tab.ariaExpanded = String(opened);
  };
  open(false);
  tab.addEventListener('click', () => open(panel.hidden !== false));
  aside.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || panel.hidden) return;
    open(false);
    tab.focus();
  });

  let shown: PanelModel | undefined;
  const show = (model: PanelModel): void => {
    shown = model;
    scenario.select.value = model.choice.scenario;
    kind.select.value = allKinds.find(([, each]) => sameKind(each, model.choice))?.[0] ?? '';
    managementKeyLine.hidden = model.managementKey === undefined;
    managementKey.textContent = model.managementKey ?? '';
    plug.textContent = model.plugged ? '拔下 USBKEY' : '插上 USBKEY';
    plug.disabled = model.plugged === undefined;
    status.classList.remove('bad');
    status.textContent =
      model.plugged === undefined ? '正在准备示例 USBKEY…' : model.plugged ? 'USBKEY 已插上。' : 'USBKEY 没有插上。';
  };

  const reset = async (): Promise<void> => {
    if (!shown) return;
    const wantedScenario = scenarios.find((name) => name === scenario.select.value) ?? shown.choice.scenario;
    const wantedKind = allKinds.find(([name]) => name === kind.select.value)?.[1] ?? shown.choice;
    restore.disabled = true;
    try {
      await actions.reset({ ...wantedKind, scenario: wantedScenario });
    } catch {
      show(shown);
      status.classList.add('bad');
      status.textContent = '没有取到示例 USBKEY。请看本机的体验服务是否还在运行，再点“恢复初始状态”。';
    } finally {
      restore.disabled = false;
    }
  };
  scenario.select.addEventListener('change', () => void reset());
  kind.select.addEventListener('change', () => void reset());
  restore.addEventListener('click', () => void reset());
  plug.addEventListener('click', () => void (shown?.plugged ? actions.unplug() : actions.plug()));

  const stayClear = (): void => host.style.setProperty('--below', `${fixedBarHeight(host)}px`);
  stayClear();
  addEventListener('resize', stayClear);
  new ResizeObserver(stayClear).observe(document.body);
  return show;
}
