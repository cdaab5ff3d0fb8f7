/** A tag-length-value at `offset`: where its content begins and ends. Lengths up to 65535 only. */
function tlv(der: Uint8Array, offset: number): { tag: number; start: number; end: number } {
  const tag = der[offset];
  let length = der[offset + 1];
  if (tag === undefined || length === undefined) throw new RangeError('DER ends early');
  let start = offset + 2;
  if (length > 0x7f) {
    const digits = length & 0x7f;
    if (digits < 1 || digits > 2) throw new RangeError('DER length not supported');
    length = der.subarray(start, start + digits).reduce((sum, byte) => sum * 256 + byte, 0);
    start += digits;
  }
  if (start + length > der.length) throw new RangeError('DER ends early');
  return { tag, start, end: start + length };
}

/** The children of the constructed value at `offset`. @throws RangeError when lengths do not fit */
export function children(der: Uint8Array, offset: number): { tag: number; start: number; end: number }[] {
  const parent = tlv(der, offset);
  const found = [];
  for (let at = parent.start; at < parent.end;) {
    const child = tlv(der, at);
    if (child.end > parent.end) throw new RangeError('DER child exceeds its parent');
    found.push(child);
    at = child.end;
  }
  return found;
}

/**
 * True when the bytes have a certificate's outline: one SEQUENCE of tbsCertificate SEQUENCE, AlgorithmIdentifier
 * SEQUENCE and signature BIT STRING (RFC 5280 §4.1), tbsCertificate again being well-formed. A key looks no closer.
 */
export function looksLikeCertificate(der: Uint8Array): boolean {
  try {
    const outer = tlv(der, 0);
    const [tbs, algorithm, signature, ...more] = children(der, 0);
    if (outer.tag !== 0x30 || outer.end !== der.length || more.length > 0) return false;
    if (tbs?.tag !== 0x30 || algorithm?.tag !== 0x30 || signature?.tag !== 0x03) return false;
    // version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    return children(der.subarray(outer.start), 0).length >= 6;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
