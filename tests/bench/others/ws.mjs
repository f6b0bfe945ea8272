// SPDX-License-Identifier: Apache-2.0
// The signaling server that tutorials write on npm's ws: it reads each message, says from whom it is, and gives it to
// the others in the room. No resume, no limits, no access rules.
import { WebSocketServer } from "ws";
import { listen } from "./listen.mjs";

const rooms = new Map();

function join(socket, request) {
  const query = new URL(request.url, "http://localhost").searchParams;
  const name = query.get("room");
  const from = query.get("member");
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    message.from = from;
    const text = JSON.stringify(message);
    for (const other of room) if (other !== socket) other.send(text);
  });
  socket.on("close", () => {
    room.delete(socket);
    if (room.size === 0) rooms.delete(name);
  });
  socket.send('{"type":"joined"}');
}

listen((server) => new WebSocketServer({ server, perMessageDeflate: false }).on("connection", join));
