/*
 * Goal: requests carry exactly the bytes of Kafka’s protocol guide (a broker closes the connection on anything else).
 * Method: request header v1 and Metadata v1 written out by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { encodeRequest } from './kafka-wire.js';

describe('encodeRequest', () => {
  it('writes size, key, version, correlation id, client id, body', () => {
    const clientId = Buffer.from('millrace-stack').toString('hex');
    const body = '00000000';
    // 2 + 2 + 4 + (2 + 14) + 4 = 28 bytes follow the size.
    expect(encodeRequest(3, 1, 7, Buffer.from(body, 'hex')).toString('hex')).toBe(`0000001c${'0003'}${'0001'}${'00000007'}${'000e'}${clientId}${body}`);
  });
});
