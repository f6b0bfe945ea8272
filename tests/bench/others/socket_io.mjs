// SPDX-License-Identifier: Apache-2.0
// The same on Socket.IO, with its rooms and its acknowledgement of a join.
import { Server } from "socket.io";
import { listen } from "./listen.mjs";

const io = new Server({ serveClient: false, transports: ["websocket"] });

io.on("connection", (socket) => {
  socket.on("join", (room, acknowledge) => {
    socket.join(room);
    acknowledge();
    socket.on("candidate", (candidate) => socket.to(room).emit("candidate", candidate, socket.id));
  });
});

listen((server) => io.attach(server));
