// A listener for tests of who may come in: TLS with SASL PLAIN and SCRAM-SHA-256, on a certificate made for the occasion.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who may come to the secure listener, and what a client has to trust. */
export interface Secure {
  readonly brokers: readonly string[];
  /** PEM. */
  readonly ca: string;
  readonly username: string;
  readonly password: string;
}

export interface SecureListener {
  readonly secure: Secure;
  /** Of server.properties, for a node whose plain listener is at `port`. */
  readonly properties: Readonly<Record<string, string>>;
  readonly formatArgs: readonly string[];
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  readonly secure: number;
}

/** The certificate signs itself, so it is also what to trust. */
export async function secureListener(folder: string, ports: Ports): Promise<SecureListener> {
  mkdirSync(folder, { recursive: true });
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const made = await Bun.spawn(
    // biome-ignore format: a command is read in one line
    ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate],
    { stdout: 'ignore', stderr: 'ignore' },
  ).exited;
  if (made !== 0) throw new Error('openssl could not make a certificate for the test');
  const ca = await Bun.file(certificate).text();
  const keystore = join(folder, 'keystore.pem');
  writeFileSync(keystore, (await Bun.file(key).text()) + ca);
  const username = 'ugc';
  const password = crypto.randomUUID();
  const module = 'org.apache.kafka.common.security';
  const plain = `PLAINTEXT://127.0.0.1:${ports.plain}`;
  const secure = `SECURE://127.0.0.1:${ports.secure}`;
  return {
    secure: { brokers: [`127.0.0.1:${ports.secure}`], ca, username, password },
    formatArgs: ['--add-scram', `SCRAM-SHA-256=[name=${username},password=${password}]`],
    properties: {
      listeners: `${plain},CONTROLLER://127.0.0.1:${ports.controller},${secure}`,
      'advertised.listeners': `${plain},${secure}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
      // Everybody may do everything but what a test forbids.
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
      'super.users': 'User:ANONYMOUS',
      'listener.name.secure.ssl.keystore.type': 'PEM',
      'listener.name.secure.ssl.keystore.location': keystore,
      'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      'listener.name.secure.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required user_${username}="${password}";`,
      'listener.name.secure.scram-sha-256.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
    },
  };
}
