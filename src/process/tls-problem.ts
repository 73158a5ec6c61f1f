// What a failed handshake was about, in words for who has to repair it. The codes are those of OpenSSL's verification and
// of its alerts, as node:tls spells them.

const untrusted = 'its certificate is signed by nobody who is trusted here';
const unshown = 'it does not let us in without a client certificate that it trusts';

const words: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS at that port',
  ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED: unshown,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: unshown,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: unshown,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: unshown,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: unshown,
};

/** A clause about the other side, and what the library says; null when it was not about TLS. */
export function tlsProblemOf(error: unknown): string | null {
  const { code = '', message = '' } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
  const known = Object.hasOwn(words, String(code)) ? words[String(code)] : undefined;
  return known === undefined ? null : `${known} (${message.slice(0, saidLengthMax)})`;
}

const saidLengthMax = 200;
