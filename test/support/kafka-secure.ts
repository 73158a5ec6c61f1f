// Listeners for tests of who may come in, on a certificate made for the occasion: TLS with SASL PLAIN and SCRAM-SHA-256,
// and TLS with a certificate of the client's.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who may come to the secure listener, and what a client has to trust. */
export interface Secure {
  readonly brokers: readonly string[];
  /** PEM. */
  readonly ca: string;
  readonly username: string;
  readonly password: string;
  /** Where nobody comes in without a certificate. */
  readonly mutualBrokers: readonly string[];
  /** PEM, of a client whose certificate is trusted. */
  readonly key: string;
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
  readonly mutual: number;
}

/** The certificate signs itself, so it is also what to trust, on both sides. */
export async function secureListener(folder: string, ports: Ports): Promise<SecureListener> {
  mkdirSync(folder, { recursive: true });
  const keyFile = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const made = await Bun.spawn(
    // biome-ignore format: a command is read in one line
    ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', keyFile, '-out', certificate],
    { stdout: 'ignore', stderr: 'ignore' },
  ).exited;
  if (made !== 0) throw new Error('openssl could not make a certificate for the test');
  const ca = await Bun.file(certificate).text();
  const key = await Bun.file(keyFile).text();
  const keystore = join(folder, 'keystore.pem');
  writeFileSync(keystore, key + ca);
  const username = 'ugc';
  const password = crypto.randomUUID();
  const module = 'org.apache.kafka.common.security';
  const plain = `PLAINTEXT://127.0.0.1:${ports.plain}`;
  const secure = `SECURE://127.0.0.1:${ports.secure},MUTUAL://127.0.0.1:${ports.mutual}`;
  const mutualBrokers = [`127.0.0.1:${ports.mutual}`];
  return {
    secure: { brokers: [`127.0.0.1:${ports.secure}`], ca, username, password, mutualBrokers, key },
    formatArgs: ['--add-scram', `SCRAM-SHA-256=[name=${username},password=${password}]`],
    properties: {
      listeners: `${plain},CONTROLLER://127.0.0.1:${ports.controller},${secure}`,
      'advertised.listeners': `${plain},${secure}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL',
      // Everybody may do everything but what a test forbids.
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'allow.everyone.if.no.acl.found': 'true',
      'super.users': 'User:ANONYMOUS',
      'listener.name.secure.ssl.keystore.type': 'PEM',
      'listener.name.secure.ssl.keystore.location': keystore,
      'listener.name.mutual.ssl.keystore.type': 'PEM',
      'listener.name.mutual.ssl.keystore.location': keystore,
      'listener.name.mutual.ssl.truststore.type': 'PEM',
      'listener.name.mutual.ssl.truststore.location': certificate,
      'listener.name.mutual.ssl.client.auth': 'required',
      'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
      'listener.name.secure.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required user_${username}="${password}";`,
      'listener.name.secure.scram-sha-256.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
    },
  };
}
