// SPDX-License-Identifier: Apache-2.0

// Command pion uses a TURN server with the libraries of pion, and prints what it saw as one JSON object.
//
//	pion turn udp|tcp|tls|dtls HOST:PORT   the steps of a TURN client, one by one
//	pion ice URI                           two ICE agents that have relayed candidates only
//
// Every flag comes first.
package main

import (
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

const deadline = 30 * time.Second

var (
	user     = flag.String("user", "alice", "")
	password = flag.String("password", "wonderland", "")
	caFile   = flag.String("ca", "", "the certificate to trust")
)

func main() {
	flag.Parse()
	var result any
	var err error
	switch flag.Arg(0) {
	case "turn":
		result, err = useTURN(flag.Arg(1), flag.Arg(2))
	case "ice":
		result, err = useICE(flag.Arg(1))
	default:
		err = fmt.Errorf("no command %q", flag.Arg(0))
	}
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func trusted() (*x509.CertPool, error) {
	pem, err := os.ReadFile(*caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return pool, nil
}
