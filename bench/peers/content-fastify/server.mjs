// What a team would write instead of the content role: Fastify and pg, the same statements on the same PostgreSQL, tokens
// of HS256. No outbox relay, no idempotency keys, no history: less than ours does.
// PORT, DATABASE_URL, JWT_SECRET, and STATEMENTS: a JSON file of { vote: { text, values }, counts: { text, values } }.

import { readFileSync } from 'node:fs';
import { createVerifier } from 'fast-jwt';
import fastify from 'fastify';
import pg from 'pg';

const { PORT, DATABASE_URL, JWT_SECRET, STATEMENTS } = process.env;
const statements = JSON.parse(readFileSync(STATEMENTS, 'utf8'));
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const verify = createVerifier({ key: JWT_SECRET, algorithms: ['HS256'], cache: true });
const app = fastify();

/** Parameters go as text, the answer comes as JSON. */
async function run(name, given) {
  const { text, values } = statements[name];
  const { rows } = await pool.query({ name, text, values: values.map(value => String(given[value])) });
  return JSON.parse(rows[0].answer);
}

app.put(
  '/v1/films/:film_id/like',
  {
    schema: {
      body: {
        type: 'object',
        additionalProperties: false,
        required: ['value'],
        properties: { value: { enum: [-1, 1] } },
      },
    },
  },
  async (request, reply) => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    let userId;
    try {
      if (scheme !== 'Bearer') throw new Error('no token');
      userId = verify(token).sub;
    } catch {
      return reply.code(401).send({ detail: 'no token that counts' });
    }
    const { value } = request.body;
    const { vote, revision } = await run('vote', {
      filmId: request.params.film_id,
      userId,
      vote: value,
      atMs: Date.now(),
      eventId: crypto.randomUUID(),
    });
    return { film_id: request.params.film_id, value: vote, revision };
  },
);

app.get('/v1/films/:film_id', async request => {
  const counts = await run('counts', { filmId: request.params.film_id });
  return { film_id: request.params.film_id, ...counts };
});

await app.listen({ port: Number(PORT), host: '127.0.0.1' });
