// The console's page: what the browser runs. .ci/console-page.ts makes one script and one style sheet of what it imports.

import './page.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { apply } from './theme.ts';

apply();
const place = document.getElementById('console');
if (place !== null) render(<App />, place);
