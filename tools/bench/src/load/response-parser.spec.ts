// Goal: answers are told apart however the network cuts them up, and what is no answer is not taken for one.
// Method: answers written as RFC 9112 says, cut at every place and at random places; the whole must give the same list.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ResponseParser } from './response-parser.js';

const answer = (status: number, body: string, length = 'Content-Length'): string => `HTTP/1.1 ${status} Reason\r\nContent-Type: application/json\r\n${length}: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

function parsed(pieces: readonly Buffer[]): [number, string][] {
  const found: [number, string][] = [];
  const parser = new ResponseParser((status, _head, body) => found.push([status, body.toString('utf8')]));
  for (const piece of pieces) parser.feed(piece);
  return found;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
}

describe('ResponseParser', () => {
  it('takes an answer cut in two at any place', () => {
    const bytes = Buffer.from(answer(200, '{"ü":1}'));
    for (let place = 0; place <= bytes.length; place += 1) expect(parsed([bytes.subarray(0, place), bytes.subarray(place)])).toEqual([[200, '{"ü":1}']]);
  });

  it('takes several answers in whatever pieces they come', () => {
    const answers = fc.array(fc.tuple(fc.constantFrom(200, 429, 503), fc.string({ unit: 'binary' }), fc.constantFrom('Content-Length', 'content-length')), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(answers, fc.array(fc.nat()), (list, places) => {
        const bytes = Buffer.from(list.map(([status, body, header]) => answer(status, body, header)).join(''));
        expect(parsed(cut(bytes, places))).toEqual(list.map(([status, body]) => [status, Buffer.from(body).toString('utf8')]));
      }),
    );
  });

  it('takes chunked answers', () => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n${answer(503, '')}`);
    for (let place = 0; place <= bytes.length; place += 1) expect(parsed([bytes.subarray(0, place), bytes.subarray(place)])).toEqual([[200, 'abc0123456789'], [503, '']]);
  });

  it('knows that some answers have no body', () => {
    expect(parsed([Buffer.from(`HTTP/1.1 204 No Content\r\n\r\n${answer(200, 'x')}`)])).toEqual([[204, ''], [200, 'x']]);
  });

  it('gives nothing before the last byte has come', () => {
    expect(parsed([Buffer.from(answer(200, 'abc').slice(0, -1))])).toEqual([]);
  });

  it.each(['SSH-2.0-OpenSSH\r\n\r\n', 'HTTP/1.1 200 OK\r\nServer: x\r\n\r\nbody until the end'])('refuses %j', (text) => {
    expect(() => parsed([Buffer.from(text)])).toThrow(/not an HTTP answer|without content-length/u);
  });
});
