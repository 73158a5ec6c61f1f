// In the page: the bytes a program has sent, in xterm.js.

const terminal = new Terminal({
  cols: given.columns,
  rows: given.rows,
  fontFamily: 'DejaVu Sans Mono, monospace',
  fontSize: 14,
  lineHeight: 1.2,
  cursorBlink: false,
  theme: { background: '#ffffff', foreground: '#24292f', cursor: '#ffffff', red: '#c4162a' },
});
terminal.open(document.getElementById('screen'));
terminal.write(given.bytes, () => {
  document.body.dataset.drawn = 'yes';
});
