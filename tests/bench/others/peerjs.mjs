// SPDX-License-Identifier: Apache-2.0
// peerjs-server as it comes, without its limit of connections.
import { PeerServer } from "peer";
import { ports, tls } from "./listen.mjs";

const options = { host: "127.0.0.1", path: "/", concurrent_limit: 100_000 };
PeerServer({ ...options, port: ports.plain });
PeerServer({ ...options, port: ports.tls, ssl: tls });
