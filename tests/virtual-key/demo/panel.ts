import { type Attachment, attachments, type Scenario, scenarios } from '../state.ts';
import { element } from './element.ts';
import { styledHost } from './style.ts';
import { attachmentNames, scenarioNames } from './words.ts';

export interface PanelModel {
  readonly scenario: Scenario;
  readonly attachment: Attachment;
  /** Undefined as long as there is no key. */
  readonly plugged: boolean | undefined;
}

export interface PanelActions {
  plug(): Promise<void>;
  unplug(): Promise<void>;
  /** @throws anything when no key could be had */
  reset(scenario: Scenario, attachment: Attachment): Promise<void>;
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

function choose<Value extends string>(
  label: string,
  names: Readonly<Record<Value, string>>,
  values: readonly Value[],
): { field: HTMLElement; select: HTMLSelectElement; chosen: () => Value | undefined } {
  const select = element(
    'select',
    {},
    ...values.map((value) => element('option', { value, textContent: names[value] })),
  );
  const field = element('label', {}, element('span', { textContent: label }), select);
  return { field, select, chosen: () => values.find((value) => value === select.value) };
}

/** The 体验模式 panel: closed, a tab in the page's margin. Returns a function that shows a new state. */
export function mountPanel(actions: PanelActions): (model: PanelModel) => void {
  const { host, root } = styledHost('virtual-key-panel');
  const scenario = choose('情形', scenarioNames, scenarios);
  const attachment = choose('连接方式', attachmentNames, attachments);
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
    scenario.field,
    attachment.field,
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
    scenario.select.value = model.scenario;
    attachment.select.value = model.attachment;
    plug.textContent = model.plugged ? '拔下 USBKEY' : '插上 USBKEY';
    plug.disabled = model.plugged === undefined;
    status.classList.remove('bad');
    status.textContent =
      model.plugged === undefined ? '正在准备示例 USBKEY…' : model.plugged ? 'USBKEY 已插上。' : 'USBKEY 没有插上。';
  };

  const reset = async (): Promise<void> => {
    const [wantedScenario, wantedAttachment] = [scenario.chosen(), attachment.chosen()];
    if (!wantedScenario || !wantedAttachment) return;
    restore.disabled = true;
    try {
      await actions.reset(wantedScenario, wantedAttachment);
    } catch {
      if (shown) show(shown);
      status.classList.add('bad');
      status.textContent = '没有取到示例 USBKEY。请看本机的体验服务是否还在运行，再点“恢复初始状态”。';
    } finally {
      restore.disabled = false;
    }
  };
  scenario.select.addEventListener('change', () => void reset());
  attachment.select.addEventListener('change', () => void reset());
  restore.addEventListener('click', () => void reset());
  plug.addEventListener('click', () => void (shown?.plugged ? actions.unplug() : actions.plug()));

  const stayClear = (): void => host.style.setProperty('--below', `${fixedBarHeight(host)}px`);
  stayClear();
  addEventListener('resize', stayClear);
  new ResizeObserver(stayClear).observe(document.body);
  return show;
}
