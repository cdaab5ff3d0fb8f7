import { mount } from 'svelte';
import App from './app/App.svelte';
import { preferences } from './app/state/preferences.svelte.ts';
import './app/tokens.css';
import './app/base.css';

preferences.show();
const target = document.getElementById('app');
if (!target) throw new Error('#app is missing');
mount(App, { target });
document.getElementById('static')?.remove();
performance.mark('app-mounted');

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  const register = (): void => void import('./app/pwa.ts').then((pwa) => pwa.registerServiceWorker());
  if (document.readyState === 'complete') register();
  else addEventListener('load', register);
}
