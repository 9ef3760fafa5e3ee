/*
 * Goal: every port follows from one base, none is used twice, and a taken one is named with its purpose and the way out.
 * Method: the places agreed on in the design of the stack; a real listener for the taken port.
 */
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { services } from '@millrace/contracts';
import { assertPortsFree, findFreePortBase, isPortFree, portsFrom, portsPerStack, portsWithPurpose } from './ports.js';

describe('ports', () => {
  it('gives the agreed places from the default base', () => {
    const ports = portsFrom();
    expect([ports.kafka, ports.kafkaController, ports.postgres, ports.prometheus]).toEqual([7400, 7401, 7402, 7420]);
    expect(ports.services).toEqual({
      'inference-gateway': 7410, ingestion: 7411, 'data-validation': 7412, 'outcome-joining': 7413,
      'drift-monitoring': 7414, 'training-orchestrator': 7415, 'model-registry': 7416, 'rollout-controller': 7417,
    });
  });

  it('uses no port twice and stays within one stack’s range', () => {
    const ports = portsFrom(20_000);
    const all = [...portsWithPurpose(ports).map(({ port }) => port), ports.prometheus];
    expect(new Set(all).size).toBe(4 + services.length);
    expect(Math.max(...all)).toBeLessThan(20_000 + portsPerStack);
    expect(Math.min(...all)).toBe(20_000);
  });

  it.each([0, 80, 65_530, 7400.5, Number.NaN])('refuses the base %p', (base) => {
    expect(() => portsFrom(base)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('names a taken port, what it is for, and --port-base', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const { port } = server.address() as AddressInfo;
    try {
      await expect(assertPortsFree([{ port, purpose: 'PostgreSQL' }])).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: expect.stringMatching(new RegExp(`${port} \\(PostgreSQL\\).*--port-base`)),
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    await expect(assertPortsFree([{ port, purpose: 'PostgreSQL' }])).resolves.toBeUndefined();
  });

  it('finds a base whose ports are all free', async () => {
    const base = await findFreePortBase();
    const free = await Promise.all(portsWithPurpose(portsFrom(base)).map(({ port }) => isPortFree(port)));
    expect(free).not.toContain(false);
  });
});
