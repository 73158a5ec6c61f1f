// Server-sent events (HTML Standard §9.2) out of text that comes in pieces. The server ends lines with \n and writes each
// message's data as one line; other endings are none of its.

export interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Characters of one message: the server's have fewer. */
const messageMax = 1_000_000;

/** Takes text as it comes and gives out whole messages. */
export function messagesIn(onMessage: (message: Message) => void): (text: string) => void {
  let rest = '';
  return text => {
    rest += text;
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end < 0) break;
      onMessage(messageOf(rest.slice(0, end)));
      rest = rest.slice(end + 2);
    }
    if (rest.length > messageMax) rest = '';
  };
}

function messageOf(block: string): Message {
  const fields: Record<string, string> = { event: 'message', id: '', data: '' };
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, '');
  }
  return { event: fields.event ?? '', id: fields.id ?? '', data: fields.data ?? '' };
}
