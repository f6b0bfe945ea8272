// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pion/ice/v2"
)

type iceResult struct {
	Candidates []string // types, of both agents
	Pairs      []string // local and remote type of each agent's chosen pair
	Received   []string
}

// newAgent has relayed candidates alone. pion verifies TLS by the system's certificates only, so not here.
func newAgent(uri *ice.URL) (*ice.Agent, error) {
	attempts := uint16(20)
	wait := 100 * time.Millisecond
	return ice.NewAgent(&ice.AgentConfig{
		Urls: []*ice.URL{uri}, NetworkTypes: []ice.NetworkType{ice.NetworkTypeUDP4},
		CandidateTypes: []ice.CandidateType{ice.CandidateTypeRelay}, RelayAcceptanceMinWait: new(time.Duration),
		InsecureSkipVerify: true, MaxBindingRequests: &attempts, CheckInterval: &wait,
	})
}

// gather waits for the end of gathering and gives each candidate to the other agent.
func gather(agent, other *ice.Agent, result *iceResult) error {
	done := make(chan error, 1)
	err := agent.OnCandidate(func(candidate ice.Candidate) {
		if candidate == nil {
			done <- nil
			return
		}
		result.Candidates = append(result.Candidates, candidate.Type().String())
		if err := other.AddRemoteCandidate(candidate); err != nil {
			done <- err
		}
	})
	if err != nil {
		return err
	}
	if err = agent.GatherCandidates(); err != nil {
		return err
	}
	select {
	case err = <-done:
		return err
	case <-time.After(deadline):
		return fmt.Errorf("gathering does not end")
	}
}

func useICE(text string) (*iceResult, error) {
	uri, err := ice.ParseURL(text)
	if err != nil {
		return nil, err
	}
	uri.Username, uri.Password = *user, *password
	result := &iceResult{}
	var agents [2]*ice.Agent
	for i := range agents {
		if agents[i], err = newAgent(uri); err != nil {
			return nil, err
		}
		defer agents[i].Close()
	}
	for i := range agents {
		if err = gather(agents[i], agents[1-i], result); err != nil {
			return nil, err
		}
	}
	return result, talk(agents, result)
}

func talk(agents [2]*ice.Agent, result *iceResult) error {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var conns [2]*ice.Conn
	var errs [2]error
	var both sync.WaitGroup
	both.Add(2)
	for i := range agents {
		go func(i int) {
			defer both.Done()
			fragment, password, err := agents[1-i].GetLocalUserCredentials()
			if err != nil {
				errs[i] = err
				return
			}
			if i == 0 {
				conns[i], errs[i] = agents[i].Dial(ctx, fragment, password)
			} else {
				conns[i], errs[i] = agents[i].Accept(ctx, fragment, password)
			}
		}(i)
	}
	both.Wait()
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("agent %d: %w", i, err)
		}
	}
	buffer := make([]byte, 100)
	for i := range conns {
		if _, err := conns[i].Write([]byte(fmt.Sprintf("from %d", i))); err != nil {
			return err
		}
		n, err := conns[1-i].Read(buffer)
		if err != nil {
			return err
		}
		result.Received = append(result.Received, string(buffer[:n]))
		pair, err := agents[i].GetSelectedCandidatePair()
		if err != nil {
			return err
		}
		result.Pairs = append(result.Pairs, pair.Local.Type().String()+" "+pair.Remote.Type().String())
	}
	return nil
}
