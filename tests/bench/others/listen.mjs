// SPDX-License-Identifier: Apache-2.0
// What the servers here have in common: they listen on one port without and on one with TLS, of this machine only.
// Arguments: PORT TLS_PORT CERTIFICATE KEY.
import fs from "node:fs";
import http from "node:http";
import https from "node:https";

const [port, tlsPort, certificate, key] = process.argv.slice(2);

export const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) };
export const ports = { plain: Number(port), tls: Number(tlsPort) };

export function listen(attach) {
  for (const [server, number] of [
    [http.createServer(), ports.plain],
    [https.createServer(tls), ports.tls],
  ]) {
    attach(server);
    server.listen({ port: number, host: "127.0.0.1", backlog: 4096 });
  }
}
