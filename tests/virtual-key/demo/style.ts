/** The panel's and the chooser's look. Colours are the site's own where it has them, so that they follow its dark mode. */
const css = `
:host {
  --_ground: var(--ground, #fff);
  --_surface: var(--surface, #f6f5f2);
  --_ink: var(--ink, #1d2129);
  --_ink-2: var(--ink-2, #545a64);
  --_accent: var(--accent, #1b4480);
  --_on-accent: var(--on-accent, #fff);
  --_warn: var(--warn, #855000);
  --_bad: var(--bad, #b3261e);
  --_control: var(--control, #7b7e85);
  font: 400 16px/1.5 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif;
  color: var(--_ink);
}
*, *::before, *::after { box-sizing: border-box; }
aside {
  position: fixed;
  left: 0;
  bottom: calc(var(--below, 0px) + 12px);
  z-index: 2147483000;
  display: flex;
  align-items: flex-end;
}
/* Narrow enough for the page's own margin: nothing of the page is under it. */
.tab {
  flex: none;
  display: grid;
  place-items: center;
  width: 24px;
  height: 104px;
  padding: 0;
  border: 0;
  border-radius: 0 6px 6px 0;
  background: var(--_warn);
  color: var(--_ground);
  font: inherit;
  font-size: 13px;
  font-weight: 700;
  line-height: 1;
  writing-mode: vertical-rl;
  text-orientation: upright;
  cursor: pointer;
}
@media (max-width: 599px) {
  .tab { width: 16px; font-size: 12px; }
}
.panel {
  width: min(320px, calc(100vw - 40px));
  max-height: calc(100vh - var(--below, 0px) - 24px);
  overflow: auto;
  padding: 16px;
  margin-left: 4px;
  border: 2px solid var(--_warn);
  border-radius: 8px;
  background: var(--_ground);
  box-shadow: 0 4px 24px rgb(0 0 0 / 30%);
}
.panel[hidden] { display: none; }
h2 { margin: 0 0 8px; font-size: 18px; line-height: 1.4; }
p { margin: 0 0 12px; font-size: 15px; }
.quiet { color: var(--_ink-2); }
.bad { color: var(--_bad); }
code { font: inherit; font-weight: 700; overflow-wrap: anywhere; user-select: all; }
label { display: block; margin: 0 0 12px; font-size: 15px; }
label > span { display: block; margin-bottom: 4px; }
select {
  width: 100%;
  min-height: 40px;
  padding: 0 8px;
  border: 1px solid var(--_control);
  border-radius: 6px;
  background: var(--_ground);
  color: var(--_ink);
  font: inherit;
}
.buttons { display: flex; flex-wrap: wrap; gap: 8px; }
button.plain, button.filled {
  min-height: 40px;
  padding: 0 16px;
  border: 1px solid var(--_accent);
  border-radius: 6px;
  background: var(--_ground);
  color: var(--_accent);
  font: inherit;
  cursor: pointer;
}
button.filled { background: var(--_accent); color: var(--_on-accent); }
button:disabled { border-color: var(--_control); background: var(--_surface); color: var(--_ink-2); cursor: default; }
:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
dialog {
  width: min(420px, calc(100vw - 32px));
  max-height: calc(100vh - 32px);
  padding: 20px;
  border: 2px solid var(--_warn);
  border-radius: 8px;
  background: var(--_ground);
  color: var(--_ink);
}
dialog::backdrop { background: rgb(0 0 0 / 45%); }
.mark {
  display: inline-block;
  margin: 0 0 8px;
  padding: 2px 8px;
  border-radius: 4px;
  background: var(--_warn);
  color: var(--_ground);
  font-size: 14px;
  font-weight: 700;
}
fieldset { margin: 0 0 12px; padding: 4px; border: 1px solid var(--_control); border-radius: 6px; }
legend { padding: 0 4px; font-size: 14px; }
label.device { display: flex; align-items: center; gap: 8px; min-height: 40px; margin: 0; padding: 0 8px; font-size: 16px; }
label.device > span { margin: 0; }
.end { justify-content: flex-end; }
@media print { :host { display: none; } }
`;

/** A host on the page whose content neither takes the page's styles nor gives it any. */
export function styledHost(id: string): { host: HTMLElement; root: ShadowRoot } {
  const host = document.createElement('div');
  host.id = id;
  host.lang = 'zh-CN';
  const root = host.attachShadow({ mode: 'open' });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];
  return { host, root };
}
