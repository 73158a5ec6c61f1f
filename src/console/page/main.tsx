// The console's page: what the browser runs. .ci/console-page.ts makes one script and one style sheet of what it imports.

import './page.css';
import { render } from 'preact';

const place = document.getElementById('console');
if (place !== null) render(<h1>ugc</h1>, place);
