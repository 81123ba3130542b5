// Forgotten has one planted problem, the classic leak: a request asks a
// backend in a goroutine of its own and gives up when that takes too long.
// Nobody receives the late answer, so that the goroutine waits for ever.
package main

import (
	"errors"
	"sync"
	"time"

	"gotrace.test/programs/rec"
)

const (
	clients  = 3
	requests = 16 // for each client
)

func main() { rec.Main(run) }

func run() {
	var wg sync.WaitGroup
	for c := 0; c < clients; c++ {
		c := c
		wg.Add(1)
		go func() {
			defer wg.Done()
			for r := 0; r < requests; r++ {
				handle(c + r)
			}
		}()
	}
	wg.Wait()
}

var errTimeout = errors.New("timeout")

// handle gives the backend two milliseconds.
func handle(id int) (string, error) {
	answer := make(chan string) // room for one would cure it
	go func() { answer <- askBackend(id) }()
	select {
	case a := <-answer:
		return a, nil
	case <-time.After(2 * time.Millisecond):
		return "", errTimeout
	}
}

// askBackend is too slow every other time.
func askBackend(id int) string {
	if id%2 == 0 {
		time.Sleep(4 * time.Millisecond)
	} else {
		time.Sleep(500 * time.Microsecond)
	}
	return "answer"
}
