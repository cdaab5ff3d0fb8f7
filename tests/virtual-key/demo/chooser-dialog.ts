import type { Chooser, ListedDevice } from '../chooser.ts';
import { element } from './element.ts';
import { styledHost } from './style.ts';

/** Stands in for Chrome's device chooser. Closing it in any other way than with 连接 chooses nothing. */
export const chooserDialog: Chooser = (devices) =>
  new Promise((resolve) => {
    const { host, root } = styledHost('virtual-key-chooser');
    const connect = element('button', { type: 'button', className: 'filled', textContent: '连接', disabled: true });
    const cancel = element('button', { type: 'button', className: 'plain', textContent: '取消' });
    const title = element('h2', { id: 'title', textContent: '网页想要连接一个设备' });
    let chosen: number | undefined;
    const choice = (device: ListedDevice, index: number): HTMLElement => {
      const radio = element('input', { type: 'radio', name: 'device', value: String(index) });
      radio.addEventListener('change', () => {
        chosen = index;
        connect.disabled = false;
      });
      return element('label', { className: 'device' }, radio, element('span', { textContent: device.name }));
    };
    const list =
      devices.length > 0
        ? element('fieldset', {}, element('legend', { textContent: '选一个设备' }), ...devices.map(choice))
        : element('p', { textContent: '没有找到设备。请先点“体验模式”里的“插上”。' });
    const dialog = element(
      'dialog',
      {},
      element('div', { className: 'mark', textContent: '体验模式' }),
      title,
      element('p', { className: 'quiet', textContent: '这里代替浏览器自己的选择窗口。' }),
      list,
      element('div', { className: 'buttons end' }, connect, cancel),
    );
    dialog.setAttribute('aria-labelledby', title.id);
    connect.addEventListener('click', () => dialog.close('connect'));
    cancel.addEventListener('click', () => dialog.close('cancel'));
    dialog.addEventListener('close', () => {
      host.remove();
      resolve(dialog.returnValue === 'connect' ? chosen : undefined);
    });
    root.append(dialog);
    document.body.append(host);
    dialog.showModal();
  });
