// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v2"
	"github.com/pion/turn/v2"
)

// countingConn counts the ChannelData messages that pass; pion does not tell when it has bound a channel.
type countingConn struct {
	net.PacketConn
	sent, received atomic.Int32
}

func isChannelData(p []byte) bool { return len(p) > 0 && p[0] >= 0x40 && p[0] <= 0x7f }

func (c *countingConn) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := c.PacketConn.ReadFrom(p)
	if err == nil && isChannelData(p[:n]) {
		c.received.Add(1)
	}
	return n, from, err
}

func (c *countingConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if isChannelData(p) {
		c.sent.Add(1)
	}
	return c.PacketConn.WriteTo(p, to)
}

// datagrams makes a net.PacketConn of a DTLS connection: each Read is one datagram, never a part of one.
type datagrams struct{ net.Conn }

func (d datagrams) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := d.Read(p)
	return n, d.RemoteAddr(), err
}

func (d datagrams) WriteTo(p []byte, _ net.Addr) (int, error) { return d.Write(p) }

func connect(transport, server string) (net.PacketConn, error) {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return nil, err
	}
	pool, err := trusted()
	if err != nil {
		return nil, err
	}
	switch transport {
	case "udp":
		return net.ListenPacket("udp4", "127.0.0.1:0")
	case "tcp":
		stream, err := net.Dial("tcp", server)
		return turn.NewSTUNConn(stream), err
	case "tls":
		stream, err := tls.Dial("tcp", server, &tls.Config{RootCAs: pool, ServerName: host})
		return turn.NewSTUNConn(stream), err
	case "dtls":
		plain, err := net.Dial("udp", server)
		if err != nil {
			return nil, err
		}
		conn, err := dtls.Client(plain, &dtls.Config{RootCAs: pool, ServerName: host})
		return datagrams{conn}, err
	}
	return nil, fmt.Errorf("no transport %q", transport)
}

// A peer: a socket that is not the server's, which speaks with the relay directly.
func newPeer(address string) (net.PacketConn, error) {
	peer, err := net.ListenPacket("udp4", address+":0")
	if err != nil {
		return nil, err
	}
	return peer, peer.SetDeadline(time.Now().Add(deadline))
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type turnResult struct {
	Reflexive           string // what Binding says
	Local               string // and what it should say, with UDP
	Relayed             string
	AllocateError       string
	ForbiddenPeerError  string
	ChannelDataSent     int32
	ChannelDataReceived int32
	FirstAfterStranger  string // who sent the first packet that came after a peer without permission had sent one
}

func useTURN(transport, server string) (*turnResult, error) {
	conn, err := connect(transport, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	counting := &countingConn{PacketConn: conn}
	client, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: server, TURNServerAddr: server, Username: *user, Password: *password, Conn: counting,
	})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	if err = client.Listen(); err != nil {
		return nil, err
	}
	result := &turnResult{Local: conn.LocalAddr().String()}
	reflexive, err := client.SendBindingRequest()
	if err != nil {
		return nil, err
	}
	result.Reflexive = reflexive.String()
	relay, err := client.Allocate()
	if err != nil {
		result.AllocateError = err.Error()
		return result, nil
	}
	defer relay.Close()
	result.Relayed = relay.LocalAddr().String()
	result.ForbiddenPeerError = text(client.CreatePermission(&net.UDPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 9}))
	return result, exchange(relay, counting, result)
}

// exchange has a peer echo messages of many lengths until they go as ChannelData both ways, then has a stranger send.
func exchange(relay net.PacketConn, counting *countingConn, result *turnResult) error {
	peer, err := newPeer("127.0.0.1")
	if err != nil {
		return err
	}
	defer peer.Close()
	if err = relay.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		return err
	}
	buffer := make([]byte, 2000)
	for length := 5; ; length = (length+97)%1200 + 5 { // pion lets a frame of a stream with less than 9 octets wait for the next
		message := bytes.Repeat([]byte{byte(length)}, length)
		if _, err = relay.WriteTo(message, peer.LocalAddr()); err != nil {
			return fmt.Errorf("to the peer: %w", err)
		}
		n, from, err := peer.ReadFrom(buffer)
		if err != nil {
			return fmt.Errorf("at the peer: %w", err)
		}
		if from.String() != result.Relayed || !bytes.Equal(buffer[:n], message) {
			return fmt.Errorf("%d octets from %s came to the peer as %d from %s", length, result.Relayed, n, from)
		}
		if _, err = peer.WriteTo(message, from); err != nil {
			return err
		}
		if n, from, err = relay.ReadFrom(buffer); err != nil {
			return fmt.Errorf("from the peer: %w", err)
		}
		if from.String() != peer.LocalAddr().String() || !bytes.Equal(buffer[:n], message) {
			return fmt.Errorf("%d octets from the peer came as %d from %s", length, n, from)
		}
		result.ChannelDataSent, result.ChannelDataReceived = counting.sent.Load(), counting.received.Load()
		if result.ChannelDataSent > 20 && result.ChannelDataReceived > 20 {
			break
		}
	}
	stranger, err := newPeer("127.0.0.2")
	if err != nil {
		return err
	}
	defer stranger.Close()
	for _, sender := range []net.PacketConn{stranger, peer} {
		if _, err = sender.WriteTo([]byte("who was first?"), relay.LocalAddr()); err != nil {
			return err
		}
	}
	_, from, err := relay.ReadFrom(buffer)
	if err != nil {
		return fmt.Errorf("after the stranger: %w", err)
	}
	result.FirstAfterStranger = "stranger"
	if from.String() == peer.LocalAddr().String() {
		result.FirstAfterStranger = "peer"
	}
	return nil
}
